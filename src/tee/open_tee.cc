#include "tee/open_tee.h"

#include <optional>
#include <utility>

#include "base/url.h"
#include "net/http_client.h"
#include "observe/log.h"
#include "tee/grpc_tee_sender.h"
#include "tee/http_tee_sender.h"

namespace spangate {
namespace {

// Requests under way at the same time: with answers in 2 ms, 2,000 requests a second.
constexpr std::size_t senders_count = 4;

}  // namespace

Result<std::vector<std::unique_ptr<TeeSender>>> open_senders(const OtlpTeeConfig& config) {
    const std::optional<Url> server = parse_url(config.endpoint);
    if (!server) {
        return fail(
            ErrorCode::invalid_argument,
            "exporters.otlp.endpoint is neither host:port nor a URL: " + config.endpoint
        );
    }
    if (config.protocol == "grpc") return make_grpc_tee_senders(*server, senders_count);
    std::vector<std::unique_ptr<TeeSender>> senders;
    for (std::size_t i = 0; i < senders_count; ++i) {
        Result<std::unique_ptr<HttpClient>> client = HttpClient::open(*server);
        if (!client) return tl::unexpected(std::move(client.error()));
        senders.push_back(std::make_unique<HttpTeeSender>(std::move(*client)));
    }
    return senders;
}

Result<std::unique_ptr<Tee>> open_tee(
    const OtlpTeeConfig& config, RequestInbox& inbox, MemoryBudget& budget, Metrics& metrics
) {
    Result<std::vector<std::unique_ptr<TeeSender>>> senders = open_senders(config);
    if (!senders) return tl::unexpected(std::move(senders.error()));
    TeeLimits limits;
    limits.queue_bytes_max = budget.bytes_max() / TeeLimits::memory_share;
    log_info("tee", "copying endpoint={} protocol={}", config.endpoint, config.protocol);
    return std::make_unique<Tee>(inbox, std::move(*senders), limits, budget, metrics);
}

}  // namespace spangate
