// An HTTP server with a handler that echoes, for tests of the server itself.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/clock.h"
#include "net/http_server.h"
#include "observe/metrics.h"

namespace spangate::testing {

//   /echo    answers the body
//   /later   keeps the reply for the test
//   /drop    drops the reply
//   /name    answers the name of the client's certificate
//   /throw   throws
//   others   404 at the head
class EchoHandler final : public HttpHandler {
  public:
    HeadDecision on_head(const HttpHead& head) override {
        HeadDecision decision;
        if (head.path == "/throw") throw std::runtime_error("the test says so");
        if (head.path == "/name") {
            decision.response.body = head.peer_name;
            return decision;
        }
        if (head.path != "/echo" && head.path != "/later" && head.path != "/drop") {
            decision.response.status = 404;
            return decision;
        }
        decision.body_bytes_max = body_bytes_max;
        decision.exchange = std::make_unique<Exchange>(*this, std::string(head.path));
        return decision;
    }

    // The oldest reply kept, waiting for it.
    [[nodiscard]] ReplyHandle next_reply() {
        std::unique_lock lock(mutex_);
        kept_.wait_for(lock, std::chrono::seconds(10), [this] { return !replies_.empty(); });
        if (replies_.empty()) return {};
        ReplyHandle reply = std::move(replies_.front());
        replies_.erase(replies_.begin());
        return reply;
    }

    Bytes body_bytes_max = mib;
    std::size_t memory_bytes_max = 100 * mib;

  private:
    class Exchange final : public HttpExchange {
      public:
        Exchange(EchoHandler& handler, std::string path)
            : handler_(handler),
              path_(std::move(path)) {}

        bool body_may_grow(std::size_t bytes) override {
            return bytes <= handler_.memory_bytes_max;
        }

        HttpResponse refuse(BodyFault fault) override {
            constexpr std::uint16_t statuses[] = {413, 503, 400, 408};
            HttpResponse response;
            response.status = statuses[static_cast<std::size_t>(fault)];
            return response;
        }

        void complete(Body&& body, ReplyHandle&& reply) override {
            if (path_ == "/drop") return;
            if (path_ == "/later") {
                const std::lock_guard lock(handler_.mutex_);
                handler_.replies_.push_back(std::move(reply));
                handler_.kept_.notify_all();
                return;
            }
            HttpResponse response;
            response.body = body.view();
            reply.send(std::move(response));
        }

      private:
        EchoHandler& handler_;
        const std::string path_;
    };

    std::mutex mutex_;
    std::condition_variable kept_;
    std::vector<ReplyHandle> replies_;  // guarded by mutex_
};

struct HttpContext {
    HttpContext() {
        options.name = "test";
        options.endpoint = "127.0.0.1:0";
        options.threads = 2;
    }

    [[nodiscard]] Status try_start() {
        auto listening = HttpServer::listen(options, handler, clock, metrics);
        if (!listening) return tl::unexpected(listening.error());
        server = std::move(*listening);
        server->start();
        return {};
    }

    // The port.
    std::uint16_t start() {
        const Status started = try_start();
        REQUIRE(started);
        return server->port();
    }

    [[nodiscard]] std::uint64_t troubles(std::string_view reason) {
        return metrics
            .counter("spangate_http_troubles_total", "", {{"listener", "test"}, {"reason", reason}})
            .value();
    }

    HttpServerOptions options;
    EchoHandler handler;
    SystemClock clock;
    Metrics metrics;
    std::unique_ptr<HttpServer> server;
};

}  // namespace spangate::testing
