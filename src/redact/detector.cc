#include "redact/detector.h"

#include <span>

#include "redact/anchors.h"
#include "redact/scan.h"

namespace spangate {
namespace {

// The last two parts of a key without its punctuation, in lower case: `x.Api-Key` → `apikey`.
class PlainKey {
  public:
    explicit PlainKey(std::string_view key) {
        for (std::size_t i = key.size(); i > 0 && size_ < text_.size(); --i) {
            const char c = key[i - 1];
            if (is_alnum(c)) text_[text_.size() - ++size_] = ascii_lower(c);
        }
    }

    [[nodiscard]] std::string_view text() const {
        return {text_.data() + (text_.size() - size_), size_};
    }

    [[nodiscard]] bool ends_in(std::span<const std::string_view> words) const {
        return std::any_of(words.begin(), words.end(), [this](std::string_view word) {
            return text().ends_with(word);
        });
    }

  private:
    std::array<char, 32> text_{};
    std::size_t size_ = 0;
};

constexpr std::array<std::string_view, 4> password_words = {
    "password", "passwd", "pwd", "passphrase"};
constexpr std::array<std::string_view, 14> secret_words = {
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "cookie",
    "signature",
    "sig"};
constexpr std::array<std::string_view, 7> phone_words = {
    "phone", "phonenumber", "mobile", "mobilenumber", "telephone", "tel", "fax"};
constexpr std::array<std::string_view, 3> ssn_words = {
    "ssn", "socialsecurity", "socialsecuritynumber"};
constexpr std::string_view key_word = "key";
constexpr std::string_view version_word = "version";

constexpr std::size_t ending_bytes = 3;

constexpr std::size_t ending(std::string_view key) {
    std::size_t folded = 0;
    for (const char c : key.substr(key.size() - ending_bytes))
        folded = folded * 32 + (static_cast<unsigned char>(c) & 31U);
    return folded;
}

// The last three letters of the words above, in either case; most keys end in none of them.
class EndingFilter {
  public:
    constexpr EndingFilter() {
        add(password_words);
        add(secret_words);
        add(phone_words);
        add(ssn_words);
        add(std::array{key_word, version_word});
    }

    [[nodiscard]] constexpr bool has(std::string_view key) const {
        const std::size_t i = ending(key);
        return (words_[i / 64] >> (i % 64) & 1U) != 0;
    }

  private:
    constexpr void add(std::span<const std::string_view> words) {
        for (const std::string_view word : words) {
            const std::size_t i = ending(word);
            words_[i / 64] |= std::uint64_t{1} << (i % 64);
        }
    }

    std::array<std::uint64_t, 512> words_{};
};

constexpr EndingFilter ending_filter;

}  // namespace

bool may_tell(std::string_view key) {
    return key.size() >= ending_bytes && ending_filter.has(key);
}

// Before a digit of detect_hex_key(): one more, or the last of `dapi`, `SK`, `AC`.
constexpr ByteSet may_stand_in_hex_key =
    byte_set([](char c) { return (c >= 'a' && c <= 'f') || c == 'i' || c == 'K' || c == 'C'; });

void visit_pair(Scan& scan, std::size_t second_digit) {
    const std::size_t start = second_digit - 1;
    if (start < 2 || start < scan.covered_end || !is_letter(scan.text[start - 1])) return;
    if (scan.wants(Detector::iban) && detect_iban(scan, start)) return;
    constexpr std::size_t more_digits = 7;  // of 32: most words with a number in them are shorter
    if (may_stand_in_hex_key[static_cast<unsigned char>(scan.text[start - 1])] &&
        is_hex(scan.at(start + more_digits))) {
        detect_hex_key(scan, start);
    }
}

void visit_number(Scan& scan, std::size_t seventh) {
    const std::size_t start = seventh - number_reach;
    if (start >= scan.covered_end) detect_number(scan, start);
}

namespace {

void visit_at_sign(Scan& scan, std::size_t i) {
    detect_url_credentials(scan, i);
    detect_email(scan, i, 1);
}

// `i` is the third of dashes that may stand three apart.
void visit_dash(Scan& scan, std::size_t i) {
    if (scan.before(i, 3) == '-' && scan.before(i, 6) == '-') detect_mac(scan, i - 6);
    detect_vendor_key(scan, i);
}

void visit_colon(Scan& scan, std::size_t i) {
    const char next = scan.at(i + 1);
    if (next != ' ' && next != '"') {
        if (scan.at(i + 3) == ':' && scan.at(i + 6) == ':') detect_mac(scan, i);
        if (next == ':' || is_hex(next)) detect_ipv6(scan, i);
        if (next == 'A') detect_bot_token(scan, i);
    }
    detect_assignment(scan, i);
}

// The last letter of a window of three bytes.
void visit_letter(Scan& scan, std::size_t i) {
    const char c = scan.text[i];
    const char before = scan.before(i);
    const char first = scan.before(i, 2);
    if (first == '-' && before == '-') {
        detect_option(scan, i - 1);
        if (c == 'B') detect_private_key(scan, i);
        return;
    }
    if (ascii_lower(first) == 'b' && (ascii_lower(c) == 'a' || ascii_lower(c) == 's')) {
        detect_bearer(scan, i - 2);
    }
    if (c == 'J' && before == 'y') detect_jwt(scan, i);
    if (c == 'B' && before == '/') detect_slack_webhook(scan, i);
    if (c == 'Q' && first == 'J') detect_azure_api_key(scan, i - 2);
    detect_vendor_key(scan, i);
}

}  // namespace

void visit_mark(Scan& scan, std::size_t i) {
    if (i < scan.covered_end) return;
    const char c = scan.text[i];
    switch (c) {
        case ':':
            visit_colon(scan, i);
            return;
        case '=':
            detect_assignment(scan, i);
            return;
        case '@':
            visit_at_sign(scan, i);
            return;
        case '-':
            visit_dash(scan, i);
            return;
        case '_':
        case '.':
            detect_vendor_key(scan, i);
            return;
        case '%':
            if (!is_hex(scan.at(i + 1)) || !is_hex(scan.at(i + 2))) return;
            scan.has_percent_escapes = true;
            if (scan.at(i + 1) == '4' && scan.at(i + 2) == '0') detect_email(scan, i, 3);
            return;
        case '+':
            if (is_digit(scan.at(i + 1))) detect_international_phone(scan, i);
            if (scan.at(i + 1) == 'A') detect_azure_account_key(scan, i);
            return;
        case '~':
            if (scan.before(i) == 'Q') detect_azure_secret(scan, i);
            return;
        case '\xA0':
            if (i >= 2 && scan.starts_with(i - 2, wide_at_sign)) {
                detect_email(scan, i - 2, wide_at_sign.size());
            }
            return;
        default:
            if (is_letter(c)) visit_letter(scan, i);
            if (is_digit(c)) detect_vendor_key(scan, i);  // ya29.
            return;
    }
}

KeyHints hints_of(std::string_view key) {
    KeyHints hints;
    if (!may_tell(key)) return hints;
    const PlainKey plain(key);
    hints.password = plain.ends_in(password_words);
    hints.secret = plain.ends_in(secret_words);
    hints.some_key = plain.text().ends_with(key_word);
    hints.phone = plain.ends_in(phone_words);
    hints.ssn = plain.ends_in(ssn_words);
    hints.version = plain.text().ends_with(version_word);
    return hints;
}

namespace {

// Half of all marks are the colon behind a member's key in JSON, `"role": "user"`, and most keys
// tell nothing: passed over here, as visit_mark() would.
bool is_member_colon(std::string_view text, std::size_t i) {
    if (text[i] != ':' || i <= ending_bytes || i + 1 >= text.size()) return false;
    const bool is_between = text[i - 1] == '"' && (text[i + 1] == ' ' || text[i + 1] == '"');
    return is_between && is_alnum(text[i - 2]) && !ending_filter.has(text.substr(0, i - 1));
}

void visit_anchors(Scan& scan) {
    for_each_anchor(
        scan.text,
        [&scan](std::size_t i) { visit_number(scan, i); },
        [&scan](std::size_t i) { visit_pair(scan, i); },
        [&scan](std::size_t i) {
            if (!is_member_colon(scan.text, i)) visit_mark(scan, i);
        }
    );
}

}  // namespace

bool detect_once(std::string_view text, DetectorMask mask, std::vector<Match>& matches) {
    Scan scan{text, mask, {}, matches};
    visit_anchors(scan);
    return scan.has_percent_escapes;
}

void detect(std::string_view text, DetectorMask mask, KeyHints hints, std::vector<Match>& matches) {
    Scan scan{text, mask, hints, matches};
    visit_anchors(scan);
    if (hints.any()) detect_by_hints(scan);
    if (scan.has_percent_escapes) detect_percent_decoded(scan);
    if (matches.empty()) detect_base64_decoded(scan);
}

}  // namespace spangate
