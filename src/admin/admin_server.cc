#include "admin/admin_server.h"

#include <string_view>
#include <utility>

#include "net/http_server.h"

namespace spangate {
namespace {

constexpr std::string_view prometheus_text = "text/plain; version=0.0.4; charset=utf-8";

// A person, a probe and a scraper or two; the rest is a mistake.
HttpLimits admin_limits() {
    HttpLimits limits;
    limits.connections_max = 64;
    limits.connections_per_address_max = 64;
    limits.header_bytes_max = 16 * kib;
    limits.discard_bytes_max = 64 * kib;
    limits.linger_bytes_max = mib;
    return limits;
}

HttpResponse text(std::uint16_t status, std::string body) {
    HttpResponse response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

class AdminHandler final : public HttpHandler {
  public:
    explicit AdminHandler(AdminSources sources) : sources_(std::move(sources)) {}

    // Every answer is made at the head; bodies of requests mean nothing here.
    HeadDecision on_head(const HttpHead& head) override {
        HeadDecision decision;
        decision.response = head.path == "/-/reload" ? reload(head) : read(head);
        return decision;
    }

  private:
    [[nodiscard]] HttpResponse reload(const HttpHead& head) const {
        if (head.method != "POST") return wrong_method("POST");
        const Status reloaded = sources_.reload();
        if (reloaded) return text(200, "reloaded\n");
        return text(400, "not reloaded: " + reloaded.error().message + "\n");
    }

    [[nodiscard]] HttpResponse read(const HttpHead& head) const {
        using Answer = HttpResponse (AdminHandler::*)() const;
        static constexpr std::pair<std::string_view, Answer> answers[] = {
            {"/metrics", &AdminHandler::metrics},
            {"/healthz", &AdminHandler::health},
            {"/readyz", &AdminHandler::readiness},
            {"/config", &AdminHandler::config},
        };
        for (const auto& [path, answer] : answers) {
            if (head.path != path) continue;
            if (head.method != "GET" && head.method != "HEAD") return wrong_method("GET, HEAD");
            return (this->*answer)();
        }
        return text(404, "here are /metrics /healthz /readyz /config and POST /-/reload\n");
    }

    [[nodiscard]] HttpResponse metrics() const {
        HttpResponse response = text(200, sources_.metrics.exposition());
        response.content_type = prometheus_text;
        return response;
    }

    [[nodiscard]] HttpResponse health() const { return text(200, "ok\n"); }

    [[nodiscard]] HttpResponse readiness() const {
        const auto reasons = sources_.health.not_ready();
        if (reasons.empty()) return text(200, "ready\n");
        std::string body;
        for (const auto& [room, reason] : reasons)
            body.append(room).append(": ").append(reason).append("\n");
        return text(503, std::move(body));
    }

    [[nodiscard]] HttpResponse config() const { return text(200, sources_.config_text()); }

    [[nodiscard]] static HttpResponse wrong_method(std::string_view allowed) {
        HttpResponse response = text(405, "the method is not allowed here\n");
        response.fields.emplace_back("Allow", allowed);
        return response;
    }

    const AdminSources sources_;
};

}  // namespace

class AdminServer::Impl {
  public:
    explicit Impl(AdminSources sources) : handler(std::move(sources)) {}

    AdminHandler handler;
    std::unique_ptr<HttpServer> server;  // after the handler it calls
};

Result<std::unique_ptr<AdminServer>> AdminServer::start(
    const AdminConfig& config, AdminSources sources
) {
    HttpServerOptions options;
    options.name = "admin";
    options.endpoint = config.endpoint;
    options.threads = 2;  // a slow reload must not look like a dead process
    options.limits = admin_limits();
    Metrics& metrics = sources.metrics;
    const Clock& clock = sources.clock;
    auto impl = std::make_unique<Impl>(std::move(sources));
    auto server = HttpServer::listen(std::move(options), impl->handler, clock, metrics);
    if (!server) return tl::unexpected(std::move(server).error());
    impl->server = std::move(*server);
    impl->server->start();
    return std::unique_ptr<AdminServer>(new AdminServer(std::move(impl)));
}

AdminServer::AdminServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

AdminServer::~AdminServer() = default;

std::uint16_t AdminServer::port() const {
    return impl_->server->port();
}

}  // namespace spangate
