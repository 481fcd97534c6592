// Rules that one key cannot tell alone: sums of limits, names that must differ, what belongs
// together, and what this version does not do yet. Refused rather than ignored: a key without an
// effect would be a promise.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "config/load_config.h"

namespace spangate {

struct RuleFault {
    std::string path;     // dotted, of the key to change
    std::string message;  // begins with what is wrong
};

[[nodiscard]] std::vector<RuleFault> validate(
    const Config& config, ConfigUse use = ConfigUse::gateway
);

// The parts, each in its file.
void validate_receivers(const Config& config, std::vector<RuleFault>& faults);
void validate_processors(const Config& config, ConfigUse use, std::vector<RuleFault>& faults);
void validate_kafka(const KafkaConfig& kafka, std::vector<RuleFault>& faults);
void validate_topics(const Config& config, std::vector<RuleFault>& faults);
void validate_tee(const Config& config, std::vector<RuleFault>& faults);
void validate_guard(const Config& config, std::vector<RuleFault>& faults);
void validate_not_yet(const Config& config, std::vector<RuleFault>& faults);

// host:port with a port up to 65535; IPv6 hosts in brackets. Views into `endpoint`.
struct HostPort {
    std::string_view host;  // without brackets
    std::uint32_t port = 0;
};

[[nodiscard]] std::optional<HostPort> split_host_port(std::string_view endpoint);

// 127.0.0.0/8, ::1 and localhost.
[[nodiscard]] bool is_loopback(std::string_view host);

}  // namespace spangate
