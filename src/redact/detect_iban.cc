// International bank account numbers (ISO 13616): the country's length and the checksum.
#include <array>

#include "redact/scan.h"

namespace spangate {
namespace {

// Length of an IBAN by country (ISO 13616, registry of 2024).
constexpr std::string_view iban_lengths =
    "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24"
    "FI18FK18FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32"
    "LI21LT20LU20LV21LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24"
    "RS22RU33SA24SC31SD18SE24SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30";

constexpr std::size_t iban_bytes_max = 34;

constexpr std::size_t country_index(char first, char second) {
    return static_cast<std::size_t>((first - 'A') * 26 + (second - 'A'));
}

constexpr std::array<std::uint8_t, 26 * 26> make_lengths() {
    std::array<std::uint8_t, 26 * 26> lengths{};
    for (std::size_t i = 0; i < iban_lengths.size(); i += 4) {
        lengths[country_index(iban_lengths[i], iban_lengths[i + 1])] = static_cast<std::uint8_t>(
            (iban_lengths[i + 2] - '0') * 10 + (iban_lengths[i + 3] - '0')
        );
    }
    return lengths;
}

// 0: no such country. Two capital letters.
std::size_t iban_length(char first, char second) {
    static constexpr std::array<std::uint8_t, 26 * 26> lengths = make_lengths();
    return lengths[country_index(first, second)];
}

// ISO 7064 MOD 97-10 over the IBAN with its first four characters moved to the end.
bool passes_mod97(std::string_view iban) {
    unsigned rest = 0;
    const auto take = [&rest](char c) {
        const unsigned value =
            is_digit(c) ? static_cast<unsigned>(c - '0') : static_cast<unsigned>(c - 'A') + 10;
        rest = (rest * (value > 9 ? 100U : 10U) + value) % 97;
    };
    for (const char c : iban.substr(4))
        take(c);
    for (const char c : iban.substr(0, 4))
        take(c);
    return rest == 1;
}

constexpr char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

// Apart, so that the glance before it costs no frame.
[[gnu::noinline]] bool take_iban(Scan& scan, std::size_t begin, std::size_t length) {
    std::array<char, iban_bytes_max> iban{};
    std::size_t count = 0;
    std::size_t i = begin;
    for (; i < scan.text.size() && count < length; ++i) {
        const char c = scan.text[i];
        if (is_alnum(c)) {
            iban[count++] = upper(c);
        } else if ((c != ' ' && c != '-') || !is_alnum(scan.before(i))) {
            return false;
        }
    }
    if (count < length || scan.word_at(i)) return false;
    if (!passes_mod97({iban.data(), count})) return false;
    scan.add(Detector::iban, begin, i);
    return true;
}

}  // namespace

// `start` is the first check digit, after the two letters of the country.
bool detect_iban(Scan& scan, std::size_t start) {
    if (start < 2 || !is_letter(scan.text[start - 1]) || !is_letter(scan.text[start - 2])) {
        return false;
    }
    const std::size_t begin = start - 2;
    if (!is_digit(scan.at(start + 1)) || scan.word_before(begin)) return false;
    const std::size_t length = iban_length(upper(scan.text[begin]), upper(scan.text[begin + 1]));
    return length != 0 && take_iban(scan, begin, length);
}

}  // namespace spangate
