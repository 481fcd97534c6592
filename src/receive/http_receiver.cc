#include "receive/http_receiver.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/cores.h"
#include "base/text.h"
#include "net/http_server.h"
#include "receive/content_coding.h"
#include "receive/otlp_status.h"

namespace spangate {
namespace {

// Where the OTLP endpoints of Langfuse and LangSmith stand; clients set up for them need no change
// but the host.
constexpr std::string_view langfuse_prefix = "/api/public/otel";
constexpr std::string_view langsmith_prefix = "/otel";

constexpr std::uint32_t threads_max = 8;

constexpr std::string_view signal_paths[] = {"/v1/traces", "/v1/logs", "/v1/metrics"};

HttpResponse to_response(HttpReply&& reply, BodyEncoding encoding) {
    HttpResponse response;
    response.status = reply.status;
    response.content_type = media_type(encoding);
    response.body = std::move(reply.body);
    response.closes_connection = reply.closes_connection;
    if (reply.retry_after_s > 0)
        response.fields.emplace_back("Retry-After", std::to_string(reply.retry_after_s));
    if (reply.status == 401) {
        response.fields.emplace_back("WWW-Authenticate", "Bearer");
        response.fields.emplace_back("WWW-Authenticate", "Basic realm=\"spangate\"");
    }
    return response;
}

HttpResponse to_response(const Outcome& outcome, Signal signal, BodyEncoding encoding) {
    return to_response(http_reply(outcome, signal, encoding), encoding);
}

class HttpTicketResponder final : public Responder {
  public:
    HttpTicketResponder(ReplyHandle&& reply, Signal signal, BodyEncoding encoding)
        : reply_(std::move(reply)),
          signal_(signal),
          encoding_(encoding) {}

    void respond(const Outcome& outcome) override {
        reply_.send(to_response(outcome, signal_, encoding_));
    }

  private:
    ReplyHandle reply_;
    const Signal signal_;
    const BodyEncoding encoding_;
};

class OtlpExchange final : public HttpExchange {
  public:
    OtlpExchange(
        Admission& admission, Admitted&& admitted, ContentCoding coding, BodyEncoding encoding
    )
        : admission_(admission),
          admitted_(std::move(admitted)),
          coding_(coding),
          encoding_(encoding) {}

    bool body_may_grow(std::size_t bytes) override {
        Status grown = admission_.grow(admitted_, bytes);
        if (grown) return true;
        refusal_ = std::move(grown).error();
        return false;
    }

    HttpResponse refuse(BodyFault fault) override { return turn_away(error_of(fault)); }

    void complete(Body&& body, ReplyHandle&& reply) override {
        if (coding_ == ContentCoding::identity) return submit(std::move(body), std::move(reply));
        Result<Body> inflated =
            inflate(coding_, body.view(), admission_.request_bytes_max(), [this](Bytes bytes) {
                return admission_.grow(admitted_, bytes);
            });
        body = Body();  // before the next room: both together were never leased
        if (!inflated) return reply.send(turn_away(std::move(inflated).error()));
        submit(std::move(*inflated), std::move(reply));
    }

  private:
    void submit(Body&& body, ReplyHandle&& reply) {
        const Signal signal = admitted_.signal;
        admission_.submit(
            std::move(admitted_),
            encoding_,
            std::move(body),
            std::make_unique<HttpTicketResponder>(std::move(reply), signal, encoding_)
        );
    }

    [[nodiscard]] HttpResponse turn_away(Error error) {
        const Signal signal = admitted_.signal;
        return to_response(admission_.turn_away(std::move(error), signal), signal, encoding_);
    }

    [[nodiscard]] Error error_of(BodyFault fault) {
        switch (fault) {
            case BodyFault::too_large:
                return {
                    ErrorCode::too_large,
                    fmt::format(
                        "the body is over {} bytes (receivers.otlp.limits.request_bytes_max); "
                        "send smaller batches",
                        admission_.request_bytes_max()
                    )};
            case BodyFault::no_memory:
                return std::move(refusal_);
            case BodyFault::malformed:
                return {ErrorCode::invalid_argument, "the body's chunks are malformed"};
            case BodyFault::timed_out:
                break;
        }
        // A passing condition: the client shall come back (O24).
        return {ErrorCode::unavailable, "the body did not come in time"};
    }

    Admission& admission_;
    Admitted admitted_;
    const ContentCoding coding_;
    const BodyEncoding encoding_;
    Error refusal_;
};

// «application/json; charset=utf-8» → json.
std::optional<BodyEncoding> encoding_from(std::string_view content_type) {
    content_type = content_type.substr(0, content_type.find(';'));
    while (content_type.ends_with(' ') || content_type.ends_with('\t'))
        content_type.remove_suffix(1);
    if (equals_ignore_case(content_type, media_type(BodyEncoding::protobuf)))
        return BodyEncoding::protobuf;
    if (equals_ignore_case(content_type, media_type(BodyEncoding::json))) return BodyEncoding::json;
    return std::nullopt;
}

std::vector<std::string> all_prefixes(const std::vector<std::string>& configured) {
    std::vector<std::string> prefixes = {
        "", std::string(langfuse_prefix), std::string(langsmith_prefix)};
    for (std::string prefix : configured) {
        while (prefix.ends_with('/'))
            prefix.pop_back();
        if (!prefix.empty() && !prefix.starts_with('/')) prefix.insert(prefix.begin(), '/');
        prefixes.push_back(std::move(prefix));
    }
    return prefixes;
}

class OtlpHandler final : public HttpHandler {
  public:
    OtlpHandler(const ReceiversConfig& config, Admission& admission)
        : prefixes_(all_prefixes(config.http_path_prefixes)),
          admission_(admission) {}

    HeadDecision on_head(const HttpHead& head) override {
        const std::optional<BodyEncoding> known = encoding_from(head.field("Content-Type"));
        // To a client that told no type we know, JSON at least reads as text.
        const BodyEncoding encoding = known.value_or(BodyEncoding::json);
        const std::optional<Signal> signal = signal_of(head.path);
        if (!signal)
            return refuse(
                ErrorCode::not_found,
                "no such path; OTLP is at POST /v1/traces, /v1/logs and /v1/metrics",
                encoding
            );
        if (head.method != "POST") {
            HeadDecision decision =
                refuse(ErrorCode::unsupported, "OTLP is sent with POST", encoding);
            decision.response.status = 405;
            decision.response.fields.emplace_back("Allow", "POST");
            return decision;
        }
        if (!known || head.count_of("Content-Type") > 1) {
            return refuse(
                ErrorCode::unsupported,
                "Content-Type must be application/x-protobuf or application/json",
                encoding
            );
        }
        const std::optional<ContentCoding> coding =
            content_coding_from(head.field("Content-Encoding"));
        if (!coding || head.count_of("Content-Encoding") > 1)
            return refuse(
                ErrorCode::unsupported,
                "Content-Encoding must be gzip, deflate, zstd or none",
                encoding
            );
        return admit(head, *signal, *coding, encoding);
    }

  private:
    [[nodiscard]] HeadDecision admit(
        const HttpHead& head, Signal signal, ContentCoding coding, BodyEncoding encoding
    ) {
        auto admitted = admission_.admit(
            {Transport::http,
             signal,
             head.field("Authorization"),
             head.field("X-Api-Key"),
             head.peer_name,
             head.content_length,
             {head.peer_address, head.peer_port}}
        );
        HeadDecision decision;
        if (!admitted) {
            decision.response = to_response(admitted.error(), signal, encoding);
            return decision;
        }
        decision.body_bytes_max = admission_.request_bytes_max();
        decision.exchange =
            std::make_unique<OtlpExchange>(admission_, std::move(*admitted), coding, encoding);
        return decision;
    }

    [[nodiscard]] std::optional<Signal> signal_of(std::string_view path) const {
        for (const Signal signal : {Signal::traces, Signal::logs, Signal::metrics}) {
            const std::string_view suffix = signal_paths[static_cast<std::size_t>(signal)];
            if (!path.ends_with(suffix)) continue;
            const std::string_view prefix = path.substr(0, path.size() - suffix.size());
            for (const std::string& known : prefixes_) {
                if (prefix == known) return signal;
            }
        }
        return std::nullopt;
    }

    [[nodiscard]] HeadDecision refuse(
        ErrorCode code, std::string_view message, BodyEncoding encoding
    ) {
        HeadDecision decision;
        // What is refused here is wrong in itself, whatever the signal.
        const Outcome outcome = admission_.turn_away({code, std::string(message)}, Signal::traces);
        decision.response = to_response(outcome, Signal::traces, encoding);
        return decision;
    }

    const std::vector<std::string> prefixes_;
    Admission& admission_;
};

}  // namespace

class HttpReceiver::Impl {
  public:
    Impl(const ReceiversConfig& config, Admission& admission) : handler(config, admission) {}

    OtlpHandler handler;
    std::unique_ptr<HttpServer> server;  // after the handler it calls
};

Result<std::unique_ptr<HttpReceiver>> HttpReceiver::start(
    const ReceiversConfig& config, Admission& admission, const Clock& clock, Metrics& metrics
) {
    auto impl = std::make_unique<Impl>(config, admission);
    HttpServerOptions options;
    options.name = "otlp_http";
    options.endpoint = config.http_endpoint;
    options.threads = std::clamp(usable_cores() / 8, 1U, threads_max);
    options.limits = HttpLimits::from(config.limits);
    options.tls = config.tls;
    auto server = HttpServer::listen(std::move(options), impl->handler, clock, metrics);
    if (!server) return tl::unexpected(std::move(server).error());
    impl->server = std::move(*server);
    impl->server->start();
    return std::unique_ptr<HttpReceiver>(new HttpReceiver(std::move(impl)));
}

HttpReceiver::HttpReceiver(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpReceiver::~HttpReceiver() = default;

std::uint16_t HttpReceiver::port() const {
    return impl_->server->port();
}

Status HttpReceiver::reload_tls(const TlsServerConfig& config) {
    return impl_->server->reload_tls(config);
}

void HttpReceiver::close_intake() {
    impl_->server->close_intake();
}

bool HttpReceiver::drain(SteadyTime deadline) {
    return impl_->server->drain(deadline);
}

}  // namespace spangate
