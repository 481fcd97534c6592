#include "redact/detector.h"

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

    [[nodiscard]] bool ends_in(std::initializer_list<std::string_view> words) const {
        return std::any_of(words.begin(), words.end(), [this](std::string_view word) {
            return text().ends_with(word);
        });
    }

  private:
    std::array<char, 32> text_{};
    std::size_t size_ = 0;
};

constexpr std::size_t ending(char second_last, char last) {
    return (static_cast<unsigned char>(second_last) & 31U) * 32U +
           (static_cast<unsigned char>(last) & 31U);
}

// The last two letters of the words below, in either case; most keys end in none of them.
constexpr std::array<bool, 1024> telling_endings() {
    constexpr std::string_view pairs = "alaxelenereteyielelsneonrdresesnthtywd";
    std::array<bool, 1024> table{};
    for (std::size_t i = 0; i < pairs.size(); i += 2)
        table[ending(pairs[i], pairs[i + 1])] = true;
    return table;
}

bool may_tell(std::string_view key) {
    static constexpr std::array<bool, 1024> table = telling_endings();
    if (key.size() < 3) return false;
    return table[ending(key[key.size() - 2], key.back())];
}

void look_at(Scan& scan, std::size_t i) {
    switch (scan.text[i]) {
        case '@':
            detect_url_credentials(scan, i);
            detect_email(scan, i, 1);
            return;
        case '%':
            if (scan.starts_with(i, "%40")) detect_email(scan, i, 3);
            return;
        case 'J':
            detect_jwt(scan, i);
            return;
        case 'B':
        case 'b':
            detect_bearer(scan, i);
            return;
        case 'I':
        case 'G':
        case '_':
            detect_vendor_key(scan, i);
            return;
        case '-':
            detect_private_key(scan, i);
            detect_mac(scan, i);
            detect_vendor_key(scan, i);
            return;
        case ':':
            detect_mac(scan, i);
            detect_ipv6(scan, i);
            detect_assignment(scan, i);
            return;
        case '=':
            detect_assignment(scan, i);
            return;
        default:
            detect_digits(scan, i);
            return;
    }
}

}  // namespace

KeyHints hints_of(std::string_view key) {
    KeyHints hints;
    if (!may_tell(key)) return hints;
    const PlainKey plain(key);
    hints.password = plain.ends_in({"password", "passwd", "pwd", "passphrase"});
    hints.secret = plain.ends_in(
        {"secret",
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
         "signature"}
    );
    hints.some_key = plain.text().ends_with("key");
    hints.phone =
        plain.ends_in({"phone", "phonenumber", "mobile", "mobilenumber", "telephone", "tel", "fax"}
        );
    hints.ssn = plain.ends_in({"ssn", "socialsecurity", "socialsecuritynumber"});
    hints.version = plain.text().ends_with("version");
    return hints;
}

void detect(std::string_view text, DetectorMask mask, KeyHints hints, std::vector<Match>& matches) {
    Scan scan{text, mask, hints, matches};
    for_each_anchor(text, [&scan](std::size_t i) {
        if (i >= scan.covered_end) look_at(scan, i);
    });
    if (hints.any()) detect_by_hints(scan);
}

}  // namespace spangate
