// Detectors of addresses and credentials: e-mail, URLs, JWTs, bearer tokens, PEM.
#include <array>
#include <optional>
#include <string>

#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t local_bytes_max = 64;    // of an e-mail address (RFC 5321 §4.5.3.1)
constexpr std::size_t domain_bytes_max = 255;  // likewise
constexpr std::size_t userinfo_bytes_max = 512;

constexpr ByteSet local_bytes = byte_set([](char c) {
    return is_alnum(c) || c == '.' || c == '_' || c == '+' || c == '-' || c == '%' ||
           static_cast<unsigned char>(c) >= 0x80;
});

constexpr ByteSet domain_bytes = byte_set([](char c) {
    return is_alnum(c) || c == '-' || c == '.' || static_cast<unsigned char>(c) >= 0x80;
});

constexpr bool is_local_byte(char c) {
    return local_bytes[static_cast<unsigned char>(c)];
}

constexpr bool is_domain_byte(char c) {
    return domain_bytes[static_cast<unsigned char>(c)];
}

// What ends the part before an at sign, looked at backwards: the scheme's slash, or no credentials.
constexpr ByteSet userinfo_ends = byte_set([](char c) {
    return std::string_view("/ \"'<>\n?@").find(c) != std::string_view::npos;
});

// The end of a domain with at least two labels and a top-level domain of letters, or `begin`.
std::size_t domain_end(const Scan& scan, std::size_t begin) {
    std::size_t end = begin;
    while (end - begin < domain_bytes_max && is_domain_byte(scan.at(end)) && scan.at(end) != '\0')
        ++end;
    std::size_t dot = end;
    // The last label that can be a top-level domain ends the address: «a@b.example. 5» ends
    // before the dot, «a@b.example.5» too.
    while (end > begin) {
        dot = end;
        while (dot > begin && scan.text[dot - 1] != '.')
            --dot;
        if (dot == begin) return begin;
        const std::string_view label = scan.text.substr(dot, end - dot);
        const bool is_name = label.size() >= 2 && !is_digit(label.front()) && label.front() != '-';
        if (is_name && scan.text[begin] != '.') break;
        end = dot - 1;
    }
    while (end > begin && scan.text[end - 1] == '-')
        --end;
    return end;
}

// The same with the full stop of full-width text, U+FF0E.
std::size_t wide_domain_end(const Scan& scan, std::size_t begin) {
    constexpr std::string_view wide_stop = "\xEF\xBC\x8E";
    std::size_t end = begin;
    while (end - begin < domain_bytes_max && end < scan.text.size() && is_domain_byte(scan.at(end)))
        ++end;
    const std::size_t stop = scan.text.substr(begin, end - begin).find(wide_stop);
    const bool has_stop = stop != std::string_view::npos && stop > 0;
    return has_stop && begin + stop + wide_stop.size() < end ? end : begin;
}

// Whether `part` is base64url of a JSON object's start; enough to tell a JWT's header.
bool is_jwt_header(std::string_view part) {
    constexpr std::size_t bytes_max = 2048;
    if (part.size() < 12 || part.size() > bytes_max) return false;
    std::string standard(part);
    for (char& c : standard)
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    while (standard.size() % 4 != 0)
        standard += '=';
    const std::optional<std::string> json = from_base64(standard);
    return json && json->find('{') == 0 && json->find("\"alg\"") != std::string::npos;
}

std::size_t base64url_end(const Scan& scan, std::size_t i) {
    while (is_base64url(scan.at(i)))
        ++i;
    return i;
}

// «basic» is a word of prose: only when what follows decodes to `user:password`.
bool is_basic_credential(std::string_view token) {
    if (token.size() > userinfo_bytes_max) return false;
    const std::optional<std::string> text = from_base64(token);
    return text && text->find(':') != std::string::npos;
}

}  // namespace

void detect_email(Scan& scan, std::size_t at_sign, std::size_t at_sign_bytes) {
    if (!scan.wants(Detector::email)) return;
    const std::size_t domain = at_sign + at_sign_bytes;
    std::size_t end = domain_end(scan, domain);
    if (end == domain && at_sign_bytes == wide_at_sign.size()) end = wide_domain_end(scan, domain);
    if (end == domain) return;
    std::size_t begin = at_sign;
    while (begin > 0 && at_sign - begin < local_bytes_max && is_local_byte(scan.text[begin - 1]))
        --begin;
    // A letter after a backslash is an escape in text that was not parsed.
    if (begin < at_sign && scan.before(begin) == '\\' && is_letter(scan.text[begin])) ++begin;
    while (begin < at_sign && (scan.text[begin] == '.' || scan.text[begin] == '-' ||
                               (static_cast<unsigned char>(scan.text[begin]) & 0xC0) == 0x80))
        ++begin;
    if (begin == at_sign) {
        // A quoted local part: "jane doe"@example.com.
        if (scan.before(at_sign) != '"' || at_sign < 3) return;
        const std::size_t quote = scan.text.rfind('"', at_sign - 2);
        if (quote == std::string_view::npos || at_sign - quote > local_bytes_max) return;
        begin = quote;
    }
    scan.add(Detector::email, begin, end);
}

void detect_url_credentials(Scan& scan, std::size_t at_sign) {
    const bool wants_url = scan.wants(Detector::url_credentials);
    if (!wants_url && !scan.wants(Detector::connection_string)) return;
    std::size_t i = at_sign;
    bool has_colon = false;
    while (i > 0 && at_sign - i < userinfo_bytes_max) {
        const char c = scan.text[i - 1];
        if (userinfo_ends[static_cast<unsigned char>(c)]) {
            if (c != '/') return;
            break;
        }
        has_colon = has_colon || c == ':';
        --i;
    }
    if (i < 3 || scan.text.substr(i - 3, 3) != "://" || i == at_sign || !has_colon) return;
    // A password may hold a raw «@»: the last one before the path parts it from the host.
    std::size_t end = at_sign;
    for (std::size_t k = at_sign + 1; k < scan.text.size() && k - at_sign < userinfo_bytes_max;
         ++k) {
        const char c = scan.text[k];
        if (c == '@') end = k;
        if (c == '/' || c == '"' || c == '\'' || c == '?' || static_cast<unsigned char>(c) <= ' ') {
            break;
        }
    }
    scan.add(wants_url ? Detector::url_credentials : Detector::connection_string, i, end);
}

void detect_jwt(Scan& scan, std::size_t capital_j) {
    if (!scan.wants(Detector::jwt) || capital_j < 2) return;
    const std::size_t begin = capital_j - 2;
    if (!scan.starts_with(begin, "eyJ")) return;
    if (capital_j >= scan.jwt_run_end) {
        scan.jwt_run_end = base64url_end(scan, capital_j);
        scan.jwt_tries_left = 4;  // keeps a long run of «eyJ» linear
    }
    if (scan.jwt_tries_left == 0 || scan.at(scan.jwt_run_end) != '.') return;
    --scan.jwt_tries_left;
    const std::size_t payload = scan.jwt_run_end + 1;
    if (!is_jwt_header(scan.text.substr(begin, scan.jwt_run_end - begin))) return;
    std::size_t end = base64url_end(scan, payload);
    if (end == payload) return;
    for (std::size_t parts = 0; parts < 3 && scan.at(end) == '.'; ++parts) {
        const std::size_t next = base64url_end(scan, end + 1);
        if (next == end + 1 && parts > 0) break;
        end = next;
    }
    if (scan.text[end - 1] == '.') --end;
    scan.add(Detector::jwt, begin, end);
}

void detect_bearer(Scan& scan, std::size_t initial) {
    constexpr std::size_t token_bytes_min = 12;
    if (!scan.wants(Detector::bearer)) return;
    if (scan.word_before(initial) && is_letter(scan.before(initial))) return;
    const bool is_bearer = equals_ignore_case(scan.text.substr(initial, 6), "bearer");
    const bool is_basic = !is_bearer && equals_ignore_case(scan.text.substr(initial, 5), "basic");
    if (!is_bearer && !is_basic) return;
    std::size_t i = initial + (is_bearer ? 6 : 5);
    if (scan.starts_with(i, "%20") || scan.starts_with(i, "\\t")) i += scan.at(i) == '%' ? 3 : 2;
    if (scan.at(i) == ':') ++i;
    while (scan.at(i) == ' ' || scan.at(i) == '\t' || scan.at(i) == '+')
        ++i;
    if (i == initial + (is_bearer ? 6U : 5U)) return;
    const std::size_t begin = i;
    bool is_random = false;
    while (is_base64(scan.at(i)) || is_base64url(scan.at(i)) || scan.at(i) == '.' ||
           scan.at(i) == '~') {
        const char c = scan.text[i++];
        is_random = is_random || is_digit(c) || c == '_' || c == '=';
    }
    while (i > begin && scan.text[i - 1] == '.')
        --i;
    const std::string_view token = scan.text.substr(begin, i - begin);
    const bool is_credential = is_bearer ? token.size() >= token_bytes_min && is_random
                                         : token.size() >= 6 && is_basic_credential(token);
    if (is_credential) scan.add(Detector::bearer, begin, i);
}

// `capital_b` is that of BEGIN.
void detect_private_key(Scan& scan, std::size_t capital_b) {
    constexpr std::string_view opening = "-----BEGIN ";
    constexpr std::size_t dashes = 5;
    if (capital_b < dashes) return;
    const std::size_t dash = capital_b - dashes;
    constexpr std::string_view closing = "-----END ";
    constexpr std::size_t label_bytes_max = 64;
    if (!scan.wants(Detector::private_key)) return;
    if (!scan.starts_with(dash, opening)) return;
    const std::string_view label = scan.text.substr(dash + opening.size(), label_bytes_max);
    const std::size_t label_end = label.find("PRIVATE KEY");
    const std::size_t label_dash = label.find('-');
    if (label_end == std::string_view::npos || label_dash < label_end) return;
    // A key that was cut off is masked to the end of the text.
    std::size_t end = scan.text.find(closing, dash + opening.size());
    if (end == std::string_view::npos) {
        end = scan.text.size();
    } else {
        const std::size_t last = scan.text.find("-----", end + closing.size());
        end = last == std::string_view::npos ? scan.text.size() : last + 5;
    }
    scan.add(Detector::private_key, dash, end);
}

}  // namespace spangate
