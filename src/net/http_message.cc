#include "net/http_message.h"

#include <array>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {
namespace {

std::string_view reason_phrase(std::uint16_t status) {
    switch (status) {
        case 200:
            return "OK";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 503:
            return "Service Unavailable";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Status";
    }
}

// IMF-fixdate (RFC 9110 §5.6.7); strftime's names would follow the locale.
std::string http_date() {
    constexpr std::array days = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array months = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    return fmt::format(
        "{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
        days[static_cast<std::size_t>(utc.tm_wday)],
        utc.tm_mday,
        months[static_cast<std::size_t>(utc.tm_mon)],
        utc.tm_year + 1900,
        utc.tm_hour,
        utc.tm_min,
        utc.tm_sec
    );
}

bool starts_method(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

std::string_view HttpHead::field(std::string_view name) const {
    for (const HttpField& field : fields) {
        if (equals_ignore_case(field.name, name)) return field.value;
    }
    return {};
}

std::size_t HttpHead::count_of(std::string_view name) const {
    std::size_t count = 0;
    for (const HttpField& field : fields)
        count += equals_ignore_case(field.name, name) ? 1 : 0;
    return count;
}

HttpResponse closing_response(std::uint16_t status, std::string_view message) {
    HttpResponse response;
    response.status = status;
    response.body = message;
    response.body += '\n';
    response.closes_connection = true;
    return response;
}

std::string format_response_head(const HttpResponse& response, bool keeps_alive) {
    std::string head;
    head.reserve(256);
    fmt::format_to(
        std::back_inserter(head),
        "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: "
        "{}\r\n",
        response.status,
        reason_phrase(response.status),
        http_date(),
        response.content_type,
        response.body.size(),
        keeps_alive ? "keep-alive" : "close"
    );
    for (const auto& [name, value] : response.fields)
        fmt::format_to(std::back_inserter(head), "{}: {}\r\n", name, value);
    head += "\r\n";
    return head;
}

std::string_view path_of(std::string_view target) {
    if (!target.starts_with('/')) {
        const std::size_t scheme = target.find("://");
        if (scheme == std::string_view::npos) return target.substr(0, target.find('?'));
        const std::size_t slash = target.find('/', scheme + 3);
        target = slash == std::string_view::npos ? "/" : target.substr(slash);
    }
    return target.substr(0, target.find('?'));
}

HeadScan scan_head(std::string_view bytes, std::size_t scanned) {
    if (!bytes.empty() && !starts_method(bytes.front())) return {HeadState::malformed, 0};
    // The last byte seen may be half of what is judged now.
    for (std::size_t at = scanned > 0 ? scanned - 1 : 0; at < bytes.size(); ++at) {
        const char c = bytes[at];
        if (c == '\0') return {HeadState::malformed, 0};
        if (c == '\r' && at + 1 < bytes.size() && bytes[at + 1] != '\n')
            return {HeadState::malformed, 0};
        if (c != '\n' && at > 0 && bytes[at - 1] == '\n' && (c == ' ' || c == '\t'))
            return {HeadState::malformed, 0};
        if (c != '\n') continue;
        if (at == 0 || bytes[at - 1] != '\r') return {HeadState::malformed, 0};
        if (at >= 3 && bytes[at - 2] == '\n') return {HeadState::complete, at + 1};
    }
    return {};
}

}  // namespace spangate
