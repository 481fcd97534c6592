// The seam between the HTTP server and whoever answers. A request takes three steps, all on the
// connection's own thread:
//
//   headers read   HttpHandler::on_head()          refuse with a response, or give an HttpExchange
//   body arriving  HttpExchange::body_may_grow()   before memory for more of it is taken
//   body complete  HttpExchange::complete()        with a ReplyHandle, answered once, from any
//   thread
//
// A body that cannot be taken ends with HttpExchange::refuse() instead of complete(). An exchange
// that hears neither belongs to a client that went away. None of these may wait.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "config/config.h"
#include "model/request.h"
#include "net/http_message.h"

namespace spangate {

class HttpConnection;
class Mailbox;

// The right and duty to answer one request. Move-only; send() once, from any thread, also after the
// connection or the whole server is gone (it then does nothing). Dropped unanswered, it answers
// 503.
class ReplyHandle {
  public:
    ReplyHandle() = default;
    ReplyHandle(
        std::shared_ptr<Mailbox> mailbox,
        std::weak_ptr<HttpConnection> connection,
        std::uint64_t request_no
    );
    ReplyHandle(ReplyHandle&&) noexcept = default;
    ReplyHandle& operator=(ReplyHandle&& other) noexcept;
    ~ReplyHandle();

    void send(HttpResponse&& response);

  private:
    void drop();

    std::shared_ptr<Mailbox> mailbox_;  // null: answered, moved from, or never bound
    std::weak_ptr<HttpConnection> connection_;
    std::uint64_t request_no_ = 0;
};

// Why a body was not taken.
enum class BodyFault : std::uint8_t {
    too_large,  // over body_bytes_max
    no_memory,  // body_may_grow() said no
    malformed,  // broken chunks
    timed_out,  // slower than body_timeout or the least rate
};

class HttpExchange {
  public:
    virtual ~HttpExchange() = default;

    // May the body's buffer grow to `bytes` in all?
    [[nodiscard]] virtual bool body_may_grow(std::size_t bytes) = 0;

    [[nodiscard]] virtual HttpResponse refuse(BodyFault fault) = 0;

    // `body` is as it was on the wire, chunks joined, content coding untouched. The exchange is
    // destroyed after this call.
    virtual void complete(Body&& body, ReplyHandle&& reply) = 0;
};

struct HeadDecision {
    std::unique_ptr<HttpExchange> exchange;  // null: answer `response`
    Bytes body_bytes_max = 0;
    HttpResponse response;
};

// Called from all of the server's threads at once; outlives the server.
class HttpHandler {
  public:
    virtual ~HttpHandler() = default;
    [[nodiscard]] virtual HeadDecision on_head(const HttpHead& head) = 0;
};

}  // namespace spangate
