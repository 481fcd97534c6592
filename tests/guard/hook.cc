#include "guard/hook.h"

#include <mutex>
#include <utility>

#include <catch2/catch.hpp>

#include "net/http_server.h"

namespace spangate::testing {

class Hook::Server final : public HttpHandler {
  public:
    explicit Server(std::vector<std::uint16_t> statuses) : statuses_(std::move(statuses)) {
        HttpServerOptions options;
        options.name = "hook";
        options.endpoint = "127.0.0.1:0";
        auto listening = HttpServer::listen(std::move(options), *this, clock_, metrics_);
        REQUIRE(listening);
        server_ = std::move(*listening);
        server_->start();
    }

    HeadDecision on_head(const HttpHead& head) override {
        HeadDecision decision;
        decision.exchange = std::make_unique<Exchange>(*this, std::string(head.path));
        decision.body_bytes_max = mib;
        return decision;
    }

    std::uint16_t keep(std::string path, std::string_view body) {
        const std::lock_guard lock(mutex);
        last_path = std::move(path);
        bodies.emplace_back(body);
        return bodies.size() <= statuses_.size() ? statuses_[bodies.size() - 1] : 204;
    }

    [[nodiscard]] std::uint16_t port() const { return server_->port(); }

    mutable std::mutex mutex;
    std::vector<std::string> bodies;
    std::string last_path;

  private:
    class Exchange final : public HttpExchange {
      public:
        Exchange(Server& server, std::string path) : server_(server), path_(std::move(path)) {}

        bool body_may_grow(std::size_t /*bytes*/) override { return true; }

        HttpResponse refuse(BodyFault /*fault*/) override { return {}; }

        void complete(Body&& body, ReplyHandle&& reply) override {
            HttpResponse response;
            response.status = server_.keep(std::move(path_), body.view());
            reply.send(std::move(response));
        }

      private:
        Server& server_;
        std::string path_;
    };

    const std::vector<std::uint16_t> statuses_;
    SystemClock clock_;
    Metrics metrics_;
    std::unique_ptr<HttpServer> server_;
};

Hook::Hook(std::vector<std::uint16_t> statuses)
    : server_(std::make_unique<Server>(std::move(statuses))) {}

Hook::~Hook() = default;

std::string Hook::url() const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + "/hook";
}

std::vector<std::string> Hook::bodies() const {
    const std::lock_guard lock(server_->mutex);
    return server_->bodies;
}

std::string Hook::path() const {
    const std::lock_guard lock(server_->mutex);
    return server_->last_path;
}

}  // namespace spangate::testing
