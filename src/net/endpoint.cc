#include "net/endpoint.h"

#include <charconv>

#include <fmt/format.h>

namespace spangate {

Result<Endpoint> parse_endpoint(std::string_view text) {
    const auto refuse = [text] {
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("endpoint «{}» is not host:port (as in 127.0.0.1:4318 or [::1]:4318)", text)
        );
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return refuse();
    Endpoint endpoint;
    std::string_view host = text.substr(0, colon);
    const std::string_view port = text.substr(colon + 1);
    const auto [end, error] =
        std::from_chars(port.data(), port.data() + port.size(), endpoint.port);
    if (port.empty() || error != std::errc() || end != port.data() + port.size()) return refuse();
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return refuse();
    }
    endpoint.host = host;
    return endpoint;
}

bool is_loopback(const Endpoint& endpoint) {
    return endpoint.host.starts_with("127.") || endpoint.host == "::1" ||
           endpoint.host == "localhost";
}

}  // namespace spangate
