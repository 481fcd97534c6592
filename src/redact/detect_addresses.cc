// Detectors of machines' addresses: IPv4, IPv6 and MAC.
#include <array>
#include <cstring>

#include <arpa/inet.h>

#include "redact/scan.h"

namespace spangate {
namespace {

// `version 17.8.3.7`, `Version=4.0.0.0`, `"version": "1.2.3.4"`, `§ 4.3.2.1`: numbers of four parts
// that are no addresses.
bool is_version(const Scan& scan, std::size_t start) {
    constexpr std::size_t between_bytes_max = 6;
    constexpr std::size_t word_bytes_max = 10;
    std::size_t end = start;
    while (end > 0 && start - end < between_bytes_max &&
           std::string_view(" _:=\"'\\").find(scan.text[end - 1]) != std::string_view::npos) {
        --end;
    }
    if (end >= 2 && scan.text.substr(end - 2, 2) == "\xC2\xA7") return true;  // the section sign
    if (end == start) return false;
    std::size_t begin = end;
    while (begin > 0 && end - begin < word_bytes_max && is_letter(scan.text[begin - 1]))
        --begin;
    const std::string_view word = scan.text.substr(begin, end - begin);
    constexpr std::string_view version = "version";
    if (word.size() >= version.size() &&
        equals_ignore_case(word.substr(word.size() - version.size()), version)) {
        return true;
    }
    for (const std::string_view other :
         {"v", "ver", "release", "rev", "revision", "build", "firmware", "section", "chapter"}) {
        if (equals_ignore_case(word, other)) return true;
    }
    return false;
}

// Whether the colon at `colon` ends a label, `MAC:`, and no group of an address, which has at most
// `group_bytes_max` hexadecimal digits.
bool ends_label(const Scan& scan, std::size_t colon, std::size_t group_bytes_max) {
    std::size_t begin = colon;
    bool is_group = true;
    while (begin > 0 && colon - begin <= group_bytes_max && is_alnum(scan.text[begin - 1])) {
        --begin;
        if (is_digit(scan.text[begin])) return false;
        is_group = is_group && is_hex(scan.text[begin]);
    }
    const std::size_t size = colon - begin;
    return size > 0 && (!is_group || size > group_bytes_max);
}

}  // namespace

bool detect_ipv4(Scan& scan, std::size_t start) {
    std::size_t i = start;
    std::array<unsigned, 4> parts{};
    for (std::size_t part = 0; part < 4; ++part) {
        std::size_t size = 0;
        while (size < 3 && is_digit(scan.at(i)))
            parts[part] = parts[part] * 10 + static_cast<unsigned>(scan.text[i++] - '0'), ++size;
        if (size == 0 || parts[part] > 255 || is_digit(scan.at(i))) return false;
        if (part < 3 && scan.at(i++) != '.') return false;
    }
    const char left = scan.before(start);
    if (scan.word_before(start) || left == '.' || left == '_' || left == '-') return false;
    if (left == '/' && scan.before(start, 2) != '/') return false;  // a product's version
    if (is_alnum(scan.at(i)) || (scan.at(i) == '.' && is_digit(scan.at(i + 1)))) return false;
    if (parts[0] == 127 || parts[0] + parts[1] + parts[2] + parts[3] == 0) return false;
    if (is_version(scan, start)) return true;
    scan.add(Detector::ip, start, i);
    return true;
}

void detect_mac(Scan& scan, std::size_t separator) {
    constexpr std::size_t mac_bytes = 17;
    if (!scan.wants(Detector::mac) || separator < 2) return;
    const std::size_t begin = separator - 2;
    if (scan.text.size() - begin < mac_bytes) return;
    const char c = scan.text[separator];
    if (scan.text[separator + 3] != c || scan.text[separator + 6] != c) return;
    if (scan.word_before(begin)) return;
    if (scan.before(begin) == c && (c != ':' || !ends_label(scan, begin - 1, 2))) return;
    bool has_letter = false;
    for (std::size_t i = 0; i < mac_bytes; ++i) {
        const char byte = scan.text[begin + i];
        if (i % 3 == 2 ? byte != c : !is_hex(byte)) return;
        has_letter = has_letter || is_letter(byte);
    }
    const std::size_t end = begin + mac_bytes;
    if (scan.word_at(end) || scan.at(end) == c || (c == '-' && !has_letter)) return;
    scan.add(Detector::mac, begin, end);
}

void detect_ipv6(Scan& scan, std::size_t colon) {
    constexpr std::size_t text_bytes_max = 45;
    if (!scan.wants(Detector::ip)) return;
    if (!is_hex(scan.at(colon + 1)) && scan.at(colon + 1) != ':') return;
    std::size_t begin = colon;
    while (begin > 0 && colon - begin < 4 && is_hex(scan.text[begin - 1]))
        --begin;
    if (scan.word_before(begin)) return;
    if (scan.before(begin) == ':' && (begin == colon || !ends_label(scan, begin - 1, 4))) return;
    std::size_t end = begin;
    std::size_t groups = 0;
    std::size_t colons = 0;
    std::size_t digits = 0;
    bool has_digit = false;
    bool is_shortened = false;  // by `::`
    while (end - begin <= text_bytes_max &&
           (is_hex(scan.at(end)) || scan.at(end) == ':' || scan.at(end) == '.')) {
        has_digit = has_digit || is_digit(scan.text[end]);
        digits += is_hex(scan.text[end]) ? 1U : 0U;
        if (scan.text[end] == ':') {
            ++colons;
            is_shortened = is_shortened || (end > begin && scan.text[end - 1] == ':');
        } else if (end == begin || scan.text[end - 1] == ':') {
            ++groups;
        }
        ++end;
    }
    constexpr std::size_t colons_min = 6;  // of an address in full that ends in an IPv4 one
    constexpr std::size_t digits_min = 5;  // fe80::1; less is a slice of an array, [1::2]
    if (is_shortened ? digits < digits_min : colons < colons_min) return;  // or a time of day
    while (end > begin && scan.text[end - 1] == '.')
        --end;
    if (end - begin > text_bytes_max || !has_digit || groups < 2 || scan.word_at(end)) return;
    std::array<char, text_bytes_max + 1> text{};
    std::memcpy(text.data(), scan.text.data() + begin, end - begin);
    in6_addr address{};
    if (inet_pton(AF_INET6, text.data(), &address) != 1) return;
    scan.add(Detector::ip, begin, end);
}

}  // namespace spangate
