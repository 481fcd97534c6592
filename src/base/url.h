// Where another service listens, as people write it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace spangate {

struct Url {
    bool is_tls = false;
    std::string host;  // without brackets
    std::uint16_t port = 0;
    std::string path;  // begins with / and does not end with it; empty: none
};

// «host:port», «http://host», «https://host:port/path», IPv6 hosts in brackets. Without a scheme it
// is plain and needs a port; with one the port may be left out. Nothing for anything else: user
// names, queries and fragments have no place here.
[[nodiscard]] std::optional<Url> parse_url(std::string_view text);

}  // namespace spangate
