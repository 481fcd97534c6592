#include <charconv>

#include "base/text.h"
#include "config/validate.h"

namespace spangate {

std::optional<HostPort> split_host_port(std::string_view endpoint) {
    constexpr std::uint32_t port_max = 65'535;
    const std::size_t colon = endpoint.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    HostPort parts{endpoint.substr(0, colon)};
    const std::string_view port = endpoint.substr(colon + 1);
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), parts.port);
    if (error != std::errc{} || end != port.data() + port.size() || parts.port > port_max) {
        return std::nullopt;
    }
    if (parts.host.starts_with('[') && parts.host.ends_with(']')) {
        parts.host = parts.host.substr(1, parts.host.size() - 2);
        if (parts.host.find(':') == std::string_view::npos) return std::nullopt;
    } else if (parts.host.find_first_of(":[]/@ ") != std::string_view::npos) {
        return std::nullopt;
    }
    if (parts.host.empty()) return std::nullopt;
    return parts;
}

bool is_loopback(std::string_view host) {
    if (host == "::1" || equals_ignore_case(host, "localhost")) return true;
    // A name such as 127.example.org is no address: only digits and dots count.
    return host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace spangate
