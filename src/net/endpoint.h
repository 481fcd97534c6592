// host:port as written in the configuration.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spangate {

struct Endpoint {
    std::string host;  // without brackets; empty: every address
    std::uint16_t port = 0;
};

// «127.0.0.1:4318», «[::1]:4318», «localhost:4318», «:4318».
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);

// Only reachable from this machine: 127.0.0.0/8, ::1, localhost.
[[nodiscard]] bool is_loopback(const Endpoint& endpoint);

}  // namespace spangate
