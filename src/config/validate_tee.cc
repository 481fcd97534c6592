// exporters.otlp: an address, and not this gateway's own.
#include <fmt/format.h>

#include "base/text.h"
#include "base/url.h"
#include "config/validate.h"

namespace spangate {
namespace {

// Whether a listener at `listener` would take what is sent to `target`.
bool is_own(const std::string& listener, const Url& target) {
    const std::optional<HostPort> own = split_host_port(listener);
    if (!own || own->port == 0 || own->port != target.port) return false;
    if (equals_ignore_case(own->host, target.host)) return true;
    const bool is_everywhere = own->host == "0.0.0.0" || own->host == "::";
    return is_loopback(target.host) && (is_everywhere || is_loopback(own->host));
}

}  // namespace

void validate_tee(const Config& config, std::vector<RuleFault>& faults) {
    const OtlpTeeConfig& tee = config.exporters.otlp;
    if (tee.endpoint.empty()) return;
    const std::string path = "exporters.otlp.endpoint";
    const std::optional<Url> target = parse_url(tee.endpoint);
    if (!target) {
        faults.push_back(
            {path,
             fmt::format(
                 "`{}` is neither host:port nor a URL of http or https, as in collector:4317 or "
                 "https://collector.example.org/otlp",
                 tee.endpoint
             )}
        );
        return;
    }
    if (tee.protocol == "grpc" && !target->path.empty()) {
        faults.push_back(
            {path, fmt::format("`{}` has a path, which protocol grpc has not", tee.endpoint)}
        );
    }
    for (const std::string& own :
         {config.receivers.grpc_endpoint, config.receivers.http_endpoint}) {
        if (!is_own(own, *target)) continue;
        faults.push_back(
            {path, fmt::format("`{}` is this gateway's own receiver {}", tee.endpoint, own)}
        );
    }
}

}  // namespace spangate
