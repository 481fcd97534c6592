#include "base/url.h"

#include <charconv>

namespace spangate {
namespace {

constexpr std::string_view plain_scheme = "http://";
constexpr std::string_view tls_scheme = "https://";
constexpr std::uint16_t plain_port = 80;
constexpr std::uint16_t tls_port = 443;
constexpr std::string_view outside_host = "@[]:/ \t";

bool read_port(std::string_view text, std::uint16_t& port) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
    return error == std::errc() && end == text.data() + text.size() && port > 0;
}

// Cuts the host off the front of `authority`; what is left is empty or begins with a colon.
bool take_host(std::string_view& authority, std::string& host) {
    if (authority.starts_with('[')) {
        const std::size_t end = authority.find(']');
        if (end == std::string_view::npos) return false;
        host = authority.substr(1, end - 1);
        authority.remove_prefix(end + 1);
        return host.find(':') != std::string::npos &&
               host.find_first_not_of("0123456789abcdefABCDEF:.") == std::string::npos;
    }
    const std::size_t end = authority.find(':');
    host = authority.substr(0, end);
    authority.remove_prefix(host.size());
    return !host.empty() && host.find_first_of(outside_host) == std::string::npos;
}

}  // namespace

std::optional<Url> parse_url(std::string_view text) {
    Url url;
    const bool has_scheme = text.starts_with(plain_scheme) || text.starts_with(tls_scheme);
    url.is_tls = text.starts_with(tls_scheme);
    if (has_scheme) {
        text.remove_prefix(url.is_tls ? tls_scheme.size() : plain_scheme.size());
        url.port = url.is_tls ? tls_port : plain_port;
    }
    const std::size_t slash = text.find('/');
    std::string_view authority = text.substr(0, slash);
    if (slash != std::string_view::npos) {
        url.path = text.substr(slash);
        if (!has_scheme || url.path.find_first_of("?# \t") != std::string::npos)
            return std::nullopt;
        while (url.path.ends_with('/'))
            url.path.pop_back();
    }
    if (!take_host(authority, url.host)) return std::nullopt;
    if (authority.empty()) return has_scheme ? std::optional(url) : std::nullopt;
    if (authority.front() != ':' || !read_port(authority.substr(1), url.port)) return std::nullopt;
    return url;
}

}  // namespace spangate
