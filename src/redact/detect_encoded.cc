// What stands behind an encoding of the whole text or of parts of it; one level, once.
#include <optional>
#include <string>

#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t base64_bytes_min = 16;

constexpr ByteSet base64_bytes =
    byte_set([](char c) { return is_alnum(c) || c == '+' || c == '/'; });

unsigned hex_value(char c) {
    const char lower = ascii_lower(c);
    return static_cast<unsigned>(is_digit(lower) ? lower - '0' : lower - 'a' + 10);
}

bool is_escape(std::string_view text, std::size_t i) {
    return text[i] == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2]);
}

bool is_base64_text(std::string_view text) {
    if (text.size() < base64_bytes_min || text.size() % 4 != 0) return false;
    for (int padding = 0; padding < 2 && text.back() == '='; ++padding)
        text.remove_suffix(1);
    return std::all_of(text.begin(), text.end(), [](char c) {
        return base64_bytes[static_cast<unsigned char>(c)];
    });
}

// The decoded bytes of an image are no text.
bool is_readable(std::string_view text) {
    const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte < 0x20 && c != '\n' && c != '\r' && c != '\t';
    });
    return !has_control && is_utf8(text);
}

}  // namespace

void detect_percent_decoded(Scan& scan) {
    std::string decoded;
    std::vector<std::uint32_t> origins;  // where each decoded byte starts in the text
    decoded.reserve(scan.text.size());
    origins.reserve(scan.text.size() + 1);
    for (std::size_t i = 0; i < scan.text.size(); ++i) {
        origins.push_back(static_cast<std::uint32_t>(i));
        if (is_escape(scan.text, i)) {
            const unsigned byte = hex_value(scan.text[i + 1]) * 16 + hex_value(scan.text[i + 2]);
            decoded += static_cast<char>(byte);
            i += 2;
        } else {
            decoded += scan.text[i] == '+' ? ' ' : scan.text[i];
        }
    }
    origins.push_back(static_cast<std::uint32_t>(scan.text.size()));
    std::vector<Match> found;
    detect_once(decoded, scan.mask, found);
    for (const Match& match : found)
        scan.matches.push_back({origins[match.begin], origins[match.end], match.rule});
}

void detect_base64_decoded(Scan& scan) {
    if (!is_base64_text(scan.text)) return;
    const std::optional<std::string> decoded = from_base64(scan.text);
    if (!decoded || !is_readable(*decoded)) return;
    std::vector<Match> found;
    detect_once(*decoded, scan.mask, found);
    if (found.empty()) return;
    scan.matches.push_back({0, static_cast<std::uint32_t>(scan.text.size()), found.front().rule});
}

}  // namespace spangate
