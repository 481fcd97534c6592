// Detectors of addresses and credentials: e-mail, URLs, JWTs, bearer tokens, vendors' keys, PEM.
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

struct VendorKey {
    std::string_view prefix;
    std::size_t anchor = 0;      // index in prefix of the byte that the anchor pass stops at
    std::size_t bytes_min = 0;   // after the prefix
    bool is_alnum_only = false;  // else also '-', '_' and '.'
};

constexpr std::array<VendorKey, 74> vendor_keys = {{
    {"AKIA", 2, 12, true},         {"ASIA", 2, 12, true},
    {"AIza", 1, 30, false},        {"ya29.", 2, 20, false},
    {"GOCSPX-", 6, 20, false},     {"SG.", 1, 20, false},
    {"sk-proj-", 2, 20, false},    {"sk-ant-", 2, 20, false},
    {"sk-svcacct-", 2, 20, false}, {"sk-admin-", 2, 20, false},
    {"sk-or-", 2, 20, false},      {"sk-lf-", 2, 20, false},
    {"pk-lf-", 2, 20, false},      {"sk-", 2, 20, true},
    {"sk_live_", 2, 16, true},     {"sk_test_", 2, 16, true},
    {"rk_live_", 2, 16, true},     {"rk_test_", 2, 16, true},
    {"whsec_", 5, 16, false},      {"ghp_", 3, 30, true},
    {"gho_", 3, 30, true},         {"ghu_", 3, 30, true},
    {"ghs_", 3, 30, true},         {"ghr_", 3, 30, true},
    {"github_pat_", 6, 30, false}, {"glpat-", 5, 18, false},
    {"gldt-", 4, 18, false},       {"glrt-", 4, 18, false},
    {"glptt-", 5, 18, false},      {"glcbt-", 5, 18, false},
    {"glsoat-", 6, 18, false},     {"xoxb-", 4, 16, false},
    {"xoxp-", 4, 16, false},       {"xoxa-", 4, 16, false},
    {"xoxr-", 4, 16, false},       {"xoxs-", 4, 16, false},
    {"xoxe-", 4, 16, false},       {"xapp-", 4, 16, false},
    {"hf_", 2, 30, true},          {"api_org_", 3, 30, true},
    {"npm_", 3, 30, true},         {"pypi-", 4, 40, false},
    {"dop_v1_", 3, 40, true},      {"doo_v1_", 3, 40, true},
    {"dor_v1_", 3, 40, true},      {"shpat_", 5, 30, true},
    {"shpss_", 5, 30, true},       {"shpca_", 5, 30, true},
    {"shppa_", 5, 30, true},       {"gsk_", 3, 30, true},
    {"r8_", 2, 30, true},          {"tvly-", 4, 20, false},
    {"pcsk_", 4, 30, false},       {"nvapi-", 5, 40, false},
    {"xai-", 3, 40, true},         {"pplx-", 4, 30, true},
    {"lsv2_", 4, 30, false},       {"lin_api_", 3, 30, true},
    {"glsa_", 4, 30, false},       {"glc_", 3, 30, false},
    {"dckr_pat_", 4, 20, false},   {"sbp_", 3, 30, true},
    {"ntn_", 3, 30, true},         {"figd_", 4, 30, false},
    {"sntrys_", 6, 30, false},     {"sq0atp-", 6, 20, false},
    {"sq0csp-", 6, 30, false},     {"NRAK-", 4, 20, true},
    {"PMAK-", 4, 24, false},       {"AGE-SECRET-KEY-1", 3, 40, true},
    {"pscale_tkn_", 6, 30, false}, {"pscale_pw_", 6, 30, false},
    {"rubygems_", 8, 40, true},    {"pul-", 3, 30, true},
}};

// An anchor and the two bytes before it, folded: most are told to be none of ours by it.
class PrefixFilter {
  public:
    constexpr void add(std::string_view three) {
        const std::size_t i = fold(three[0], three[1], three[2]);
        words_[i / 64] |= std::uint64_t{1} << (i % 64);
    }

    [[nodiscard]] constexpr bool may_have(char first, char second, char anchor) const {
        const std::size_t i = fold(first, second, anchor);
        return (words_[i / 64] >> (i % 64) & 1U) != 0;
    }

  private:
    static constexpr std::size_t fold(char first, char second, char anchor) {
        const auto number = [](char c) {
            return static_cast<std::uint32_t>(static_cast<unsigned char>(c));
        };
        const std::uint32_t three = number(first) << 16 | number(second) << 8 | number(anchor);
        return three * 0x9E3779B1U >> 20;  // multiplicative, 12 bits
    }

    std::array<std::uint64_t, 64> words_{};
};

constexpr PrefixFilter vendor_filter() {
    PrefixFilter filter;
    for (const VendorKey& key : vendor_keys) {
        if (key.anchor >= 2) filter.add(key.prefix.substr(key.anchor - 2, 3));
    }
    return filter;
}

// AWS key ids are 20 characters long; the others have at least their minimum.
bool take_vendor_key(Scan& scan, std::size_t begin, const VendorKey& key) {
    std::size_t end = begin + key.prefix.size();
    bool has_digit = false;
    bool has_upper = false;
    while (is_alnum(scan.at(end)) ||
           (!key.is_alnum_only &&
            (scan.at(end) == '-' || scan.at(end) == '_' || scan.at(end) == '.'))) {
        const char c = scan.text[end++];
        has_digit = has_digit || is_digit(c);
        has_upper = has_upper || (c >= 'A' && c <= 'Z');
    }
    while (scan.text[end - 1] == '.')
        --end;
    if (end - begin < key.prefix.size() + key.bytes_min || !(has_digit || has_upper)) return false;
    scan.add(Detector::vendor_keys, begin, end);
    return true;
}

// Apart, so that the filter before it costs no frame.
[[gnu::noinline]] void try_vendor_keys(Scan& scan, std::size_t anchor) {
    if (!scan.wants(Detector::vendor_keys)) return;
    const char c = scan.text[anchor];
    for (const VendorKey& key : vendor_keys) {
        if (key.prefix[key.anchor] != c || anchor < key.anchor) continue;
        const std::size_t begin = anchor - key.anchor;
        if (!scan.starts_with(begin, key.prefix) || scan.word_before(begin)) continue;
        if (take_vendor_key(scan, begin, key)) return;
    }
}

bool is_base64(char c) {
    return is_alnum(c) || c == '+' || c == '/' || c == '=';
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

void detect_vendor_key(Scan& scan, std::size_t anchor) {
    static constexpr PrefixFilter filter = vendor_filter();
    const char c = scan.text[anchor];
    const char before = scan.before(anchor);
    const bool is_short_prefix = (c == 'I' && before == 'A') || (c == 'G' && before == 'S');
    if (is_short_prefix || filter.may_have(scan.before(anchor, 2), before, c)) {
        try_vendor_keys(scan, anchor);
    }
}

// A client secret of Azure (Entra ID): three characters, a digit, `Q~` and 31 to 34 more.
void detect_azure_secret(Scan& scan, std::size_t tilde) {
    constexpr std::size_t head_bytes = 5;
    if (!scan.wants(Detector::vendor_keys) || tilde < head_bytes) return;
    if (scan.before(tilde) != 'Q' || !is_digit(scan.before(tilde, 2))) return;
    const auto is_secret_byte = [](char c) {
        return is_base64url(c) || c == '.' || c == '~';
    };
    const std::size_t begin = tilde - head_bytes;
    for (std::size_t i = begin; i < tilde; ++i) {
        if (!is_secret_byte(scan.text[i])) return;
    }
    constexpr std::size_t tail_bytes_min = 31;
    constexpr std::size_t tail_bytes_max = 34;
    std::size_t end = tilde + 1;
    while (end - tilde <= tail_bytes_max + 1 && is_secret_byte(scan.at(end)))
        ++end;
    const std::size_t tail = end - tilde - 1;
    if (tail < tail_bytes_min || tail > tail_bytes_max || scan.word_before(begin)) return;
    scan.add(Detector::vendor_keys, begin, end);
}

// A bot token of Telegram: eight to ten digits, a colon and 35 characters that start with AA.
void detect_bot_token(Scan& scan, std::size_t colon) {
    if (scan.at(colon + 1) != 'A' || scan.at(colon + 2) != 'A') return;
    if (!scan.wants(Detector::vendor_keys)) return;
    constexpr std::size_t secret_bytes = 35;
    std::size_t begin = colon;
    while (begin > 0 && colon - begin <= 10 && is_digit(scan.text[begin - 1]))
        --begin;
    if (colon - begin < 8 || colon - begin > 10) return;
    std::size_t end = colon + 1;
    while (end - colon <= secret_bytes + 1 && is_base64url(scan.at(end)))
        ++end;
    if (end - colon - 1 == secret_bytes) scan.add(Detector::vendor_keys, begin, end);
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
