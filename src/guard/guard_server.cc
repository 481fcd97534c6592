#include "guard/guard_server.h"

#include <optional>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "net/http_server.h"

namespace spangate {
namespace {

constexpr std::string_view guard_path = "/guard/";

// Agents ask before their steps: more connections than an admin endpoint has.
HttpLimits guard_limits() {
    HttpLimits limits;
    limits.connections_max = 1'024;
    limits.connections_per_address_max = 1'024;
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

// Nothing when a % is not followed by two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view written) {
    std::string decoded;
    for (std::size_t i = 0; i < written.size(); ++i) {
        if (written[i] != '%') {
            decoded += written[i];
            continue;
        }
        std::uint8_t byte = 0;
        if (i + 2 >= written.size() || !read_hex(written.substr(i + 1, 2), std::span(&byte, 1))) {
            return std::nullopt;
        }
        decoded += static_cast<char>(byte);
        i += 2;
    }
    return decoded;
}

// The value of `name` in the target's query, as written.
std::optional<std::string_view> query_value(std::string_view target, std::string_view name) {
    std::size_t at = target.find('?');
    while (at != std::string_view::npos) {
        const std::size_t start = at + 1;
        at = target.find('&', start);
        const std::string_view part = target.substr(start, at - start);
        const std::size_t equals = part.find('=');
        if (equals != std::string_view::npos && part.substr(0, equals) == name) {
            return part.substr(equals + 1);
        }
    }
    return std::nullopt;
}

class GuardHandler final : public HttpHandler {
  public:
    explicit GuardHandler(GuardSources sources) : sources_(std::move(sources)) {}

    // Every answer is made at the head; bodies of requests mean nothing here.
    HeadDecision on_head(const HttpHead& head) override {
        HeadDecision decision;
        if (head.method != "GET" && head.method != "HEAD") {
            decision.response = text(405, "the method is not allowed here\n");
            decision.response.fields.emplace_back("Allow", "GET, HEAD");
            return decision;
        }
        decision.response = answer(head);
        return decision;
    }

  private:
    [[nodiscard]] HttpResponse answer(const HttpHead& head) const {
        if (head.path.starts_with(guard_path)) return verdict(head);
        if (head.path == "/healthz") return text(200, "ok\n");
        if (head.path == "/readyz") return readiness();
        if (head.path == "/metrics") {
            HttpResponse response = text(200, sources_.metrics.exposition());
            response.content_type = "text/plain; version=0.0.4; charset=utf-8";
            return response;
        }
        return text(404, "here are /guard/SESSION /metrics /healthz /readyz\n");
    }

    [[nodiscard]] HttpResponse verdict(const HttpHead& head) const {
        const auto session = percent_decoded(head.path.substr(guard_path.size()));
        const auto tenant =
            percent_decoded(query_value(head.target, "tenant").value_or(sources_.tenant_id));
        if (!session || !tenant || session->empty()) {
            return text(400, "write /guard/SESSION?tenant=ID, percent-encoded\n");
        }
        HttpResponse response = text(200, sources_.verdict({*tenant, *session}));
        response.content_type = "application/json";
        response.fields.emplace_back("Cache-Control", "no-store");
        return response;
    }

    [[nodiscard]] HttpResponse readiness() const {
        const auto reasons = sources_.health.not_ready();
        if (reasons.empty()) return text(200, "ready\n");
        std::string body;
        for (const auto& [room, reason] : reasons)
            body.append(room).append(": ").append(reason).append("\n");
        return text(503, std::move(body));
    }

    const GuardSources sources_;
};

}  // namespace

class GuardServer::Impl {
  public:
    explicit Impl(GuardSources sources) : handler(std::move(sources)) {}

    GuardHandler handler;
    std::unique_ptr<HttpServer> server;  // after the handler it calls
};

Result<std::unique_ptr<GuardServer>> GuardServer::start(
    const std::string& endpoint, GuardSources sources
) {
    HttpServerOptions options;
    options.name = "guard";
    options.endpoint = endpoint;
    options.threads = 1;
    options.limits = guard_limits();
    Metrics& metrics = sources.metrics;
    const Clock& clock = sources.clock;
    auto impl = std::make_unique<Impl>(std::move(sources));
    auto server = HttpServer::listen(std::move(options), impl->handler, clock, metrics);
    if (!server) return tl::unexpected(std::move(server).error());
    impl->server = std::move(*server);
    impl->server->start();
    return std::unique_ptr<GuardServer>(new GuardServer(std::move(impl)));
}

GuardServer::GuardServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GuardServer::~GuardServer() = default;

std::uint16_t GuardServer::port() const {
    return impl_->server->port();
}

}  // namespace spangate
