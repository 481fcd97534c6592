// One HTTP/1.1 connection as a state machine over a Transport; knows no socket, so that a test can
// drive it by hand. Everything runs on the thread of the connection's worker.
//
//   handshake → idle → head → body → waiting → writing ─┬→ idle          the next request
//                                                       ├→ discarding → idle
//                                                       └→ lingering → closed
//
// Requests are answered one after the other; pipelined ones stand in the input buffer meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "net/http_handler.h"
#include "net/http_limits.h"
#include "net/http_parser.h"

namespace spangate {

// The bytes under a connection. Each start_… begins one operation whose end is told to the
// connection's on_… later (never from inside the call); at most one read and one write at a time.
// The implementation keeps the connection alive while an operation is under way.
class Transport {
  public:
    virtual ~Transport() = default;
    virtual void start_handshake(HttpConnection& owner) = 0;
    virtual void start_read(HttpConnection& owner, char* at, std::size_t bytes) = 0;
    virtual void start_write(
        HttpConnection& owner, std::string_view head, std::string_view body
    ) = 0;

    // Says goodbye: nothing is written after. Ends with on_shut_down().
    virtual void start_shutdown(HttpConnection& owner) = 0;

    // As start_read, but below TLS: the bytes mean nothing. Only after the shutdown.
    virtual void start_discard(HttpConnection& owner, char* at, std::size_t bytes) = 0;

    // What is under way ends soon, with failure.
    virtual void cancel() = 0;
    virtual void close() = 0;

    // CN of the client's verified certificate, after the handshake; empty: none.
    [[nodiscard]] virtual std::string peer_name() const = 0;
};

// What all connections of a server share.
struct HttpSetting {
    HttpHandler& handler;
    const HttpLimits& limits;
    HttpCounters& counters;
    const Clock& clock;
};

// A worker, as its connections see it. Outlives them.
class ConnectionHost : public HttpSetting {
  public:
    explicit ConnectionHost(const HttpSetting& setting) : HttpSetting(setting) {}

    virtual ~ConnectionHost() = default;

    // The connection is closed; the host lets go of it.
    virtual void forget(HttpConnection& connection) = 0;
    [[nodiscard]] virtual bool is_closing() const = 0;
    [[nodiscard]] virtual std::shared_ptr<Mailbox> mailbox() const = 0;
};

class HttpConnection final : public std::enable_shared_from_this<HttpConnection>, private BodySink {
  public:
    HttpConnection(
        ConnectionHost& host,
        std::unique_ptr<Transport> transport,
        std::string peer_address,
        std::uint16_t peer_port
    );
    ~HttpConnection() override;

    void start();

    // From the transport.
    void on_handshake(bool is_ok);
    void on_read(std::size_t bytes);  // 0: the end, or a failure
    void on_written(bool is_ok);
    void on_shut_down();

    // From the worker.
    void on_reply(std::uint64_t request_no, HttpResponse&& response);
    void on_tick(SteadyTime now);
    void on_closing();    // the server takes no more: an idle connection closes
    void on_exception();  // one came out of a call above; nothing is known, so it closes
    void close();

    [[nodiscard]] const std::string& peer_address() const { return peer_address_; }

  private:
    enum class Phase : std::uint8_t {
        handshake,
        idle,
        head,
        body,
        waiting,
        writing,
        discarding,
        lingering,
        closed,
    };

    void enter(Phase phase, Millis timeout);
    void begin_request();
    void read_input();
    void take_head();
    void decide();
    void continue_body();
    void continue_plain_body();
    void continue_chunked_body();
    void complete();
    void continue_discarding();
    void linger();
    void answer_timeout();

    void respond(HttpResponse&& response);
    void fail_head(HttpTrouble trouble, HttpFault fault);
    void fail_body(BodyFault fault);
    [[nodiscard]] bool make_room(std::size_t bytes);
    [[nodiscard]] bool take(std::string_view bytes) override;
    [[nodiscard]] bool progresses(SteadyTime now);
    [[nodiscard]] bool is_body_unread() const;

    [[nodiscard]] std::string_view input() const {
        return {input_.data() + input_begin_, input_end_ - input_begin_};
    }

    ConnectionHost& host_;
    std::unique_ptr<Transport> transport_;
    const std::string peer_address_;
    const std::uint16_t peer_port_;
    std::string peer_name_;

    Phase phase_ = Phase::handshake;
    SteadyTime deadline_{};
    bool has_timed_out_ = false;  // a cancelled read is coming back
    bool is_first_request_ = true;

    // Bytes read and not yet used: input_[input_begin_, input_end_).
    std::vector<char> input_;
    std::size_t input_begin_ = 0;
    std::size_t input_end_ = 0;
    std::size_t scanned_ = 0;  // of the head being looked for

    HttpParser parser_;
    std::string head_text_;  // what the views of head_ point into
    HttpHead head_;
    std::unique_ptr<HttpExchange> exchange_;
    Body body_;
    Bytes body_bytes_max_ = 0;
    Bytes body_bytes_left_ = 0;  // on the wire, of a body of known length
    BodyFault sink_fault_ = BodyFault::too_large;
    bool are_chunks_open_ = false;
    bool awaits_continue_ = false;  // the client waits for 100 before it sends the body
    SteadyTime progress_since_{};
    Bytes progress_bytes_ = 0;

    std::uint64_t request_no_ = 0;
    HttpResponse response_;
    std::string response_head_;
    bool is_interim_ = false;  // what is being written is 100 Continue
    bool keeps_alive_ = false;
    Bytes lingered_bytes_ = 0;
};

}  // namespace spangate
