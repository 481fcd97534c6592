// guard: names that Kafka and the contract take, and thresholds in order.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/url.h"
#include "config/validate.h"

namespace spangate {
namespace {

using Faults = std::vector<RuleFault>;

constexpr std::size_t group_bytes_max = 128;

// The form of ids in events (contract §5): the group is the gateway_id of the guard's events.
bool is_id(std::string_view text) {
    constexpr std::string_view marks = "_.:@/+=#~-";
    return !text.empty() && text.size() <= group_bytes_max &&
           std::all_of(text.begin(), text.end(), [marks](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      marks.find(c) != std::string_view::npos;
           });
}

// A threshold of criticality is reached after that of the warning.
void check_order(const LoopThresholds& loops, Faults& faults) {
    struct Pair {
        std::string_view name;
        std::uint32_t warn;
        std::uint32_t critical;
    };

    const std::array<Pair, 4> pairs = {{
        {"repeats", loops.repeats_warn, loops.repeats_critical},
        {"cycles", loops.cycles_warn, loops.cycles_critical},
        {"frozen_steps", loops.frozen_steps_warn, loops.frozen_steps_critical},
        {"retries", loops.retries_warn, loops.retries_critical},
    }};
    for (const Pair& pair : pairs) {
        if (pair.warn <= pair.critical) continue;
        faults.push_back(
            {fmt::format("guard.loops.{}_critical", pair.name),
             fmt::format(
                 "{} is below {}_warn {}; raise it or lower the other",
                 pair.critical,
                 pair.name,
                 pair.warn
             )}
        );
    }
}

}  // namespace

void validate_guard(const Config& config, Faults& faults) {
    const GuardConfig& guard = config.guard;
    if (!is_id(guard.group)) {
        faults.push_back(
            {"guard.group",
             fmt::format(
                 "must be 1 to {} letters, digits and _.:@/+=#~- (it stands in events)",
                 group_bytes_max
             )}
        );
    }
    if (!guard.endpoint.empty() && !split_host_port(guard.endpoint)) {
        faults.push_back(
            {"guard.endpoint",
             fmt::format("`{}` is not host:port; write 127.0.0.1:9465", guard.endpoint)}
        );
    }
    const std::string& webhook = guard.webhook.reveal();
    const bool has_scheme = webhook.starts_with("http://") || webhook.starts_with("https://");
    if (!webhook.empty() && (!has_scheme || !parse_url(webhook))) {
        faults.push_back(
            {"guard.webhook",
             "is no URL of http or https; user names, queries and fragments have no place in it"}
        );
    }
    check_order(guard.loops, faults);
}

}  // namespace spangate
