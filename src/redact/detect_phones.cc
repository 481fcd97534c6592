// Detectors of telephone numbers: international, North American, national with the trunk prefix, in
// brackets, and bare ones behind a word that says what they are.
#include <array>

#include "redact/numbers.h"

namespace spangate {
namespace {

constexpr std::size_t phone_digits_min = 7;
constexpr std::size_t phone_digits_max = 15;  // E.164

constexpr bool is_phone_separator(char c) {
    return c == ' ' || c == '-' || c == '.' || c == '(' || c == ')';
}

std::size_t digits_at(const Scan& scan, std::size_t i) {
    std::size_t end = i;
    while (end - i <= phone_digits_max && is_digit(scan.at(end)))
        ++end;
    return end - i;
}

// How long a number is said to be.
struct Extent {
    std::size_t enough = 0;  // digits after which a blank may end it
    std::size_t most = 0;    // digits, the country code among them; 0: not known
};

struct Run {
    std::size_t end = 0;
    std::size_t digits = 0;
};

// Behind enough digits a blank ends the number, unless the next group completes it, or groups of
// one size go on: +380 44 123 45 67.
bool goes_on(
    const Scan& scan, std::size_t blank, std::size_t digits, std::size_t group, Extent of
) {
    if (digits < of.enough) return true;
    const std::size_t next = digits_at(scan, blank + 1);
    const std::size_t total = digits + next;
    if (next < 2 || (of.most != 0 && total > of.most)) return false;
    return total == of.most || (next == group && total <= phone_digits_max);
}

// Digits in groups from `start` on; a trunk prefix behind the country code, `(0)`, is none of them.
Run read_run(const Scan& scan, std::size_t start, Extent extent) {
    constexpr std::size_t separators_max = 2;  // in a row
    Run run{start, 0};
    std::size_t separators = 0;
    std::size_t group = 0;
    for (std::size_t i = start; i < scan.text.size() && run.digits <= phone_digits_max; ++i) {
        const char c = scan.text[i];
        if (is_digit(c)) {
            group = separators == 0 ? group + 1 : 1;
            separators = 0;
            ++run.digits;
            run.end = i + 1;
            continue;
        }
        if (c == '(' && scan.at(i + 1) == '0' && scan.at(i + 2) == ')') {
            i += 2;
            continue;
        }
        if (!is_phone_separator(c) || ++separators > separators_max) break;
        if (c == ' ' && !goes_on(scan, i, run.digits, group, extent)) break;
    }
    return run;
}

// The most digits that the plan of a country has, with its code; from public numbering plans. Codes
// of three digits are followed by nine in nearly all countries.
std::size_t digits_most(std::string_view number) {
    if (number.front() == '1' || number.front() == '7') return 11;
    const std::string_view code = number.substr(0, 2);
    const auto is_one_of = [code](std::string_view codes) {
        return codes.find(code) != std::string_view::npos;
    };
    if (is_one_of("45 47 65")) return 10;
    if (is_one_of("27 31 32 33 34 36 40 41 46 48 51 56 61 64 66 84 93 94")) return 11;
    return is_one_of("43 49 54 55 62 86") ? 13 : 12;
}

// +1.12345679; but +1.4155550132 is how registries write a telephone number.
bool is_fraction(std::string_view number, std::size_t digits) {
    constexpr std::size_t country_digits_max = 3;
    constexpr std::size_t registry_digits_min = 10;
    const std::size_t stop = number.find('.');
    const bool is_only_one = stop != number.npos && number.size() == digits + 1;
    return is_only_one && (stop > country_digits_max || digits < registry_digits_min);
}

// A day, not groups of a number: 2024-05-01, 01.05.2024.
bool is_date(const Groups& groups) {
    if (groups.count < 3 || groups.separators[0] != groups.separators[1]) return false;
    const auto& sizes = groups.sizes;
    const bool is_year_first = sizes[0] == 4 && sizes[1] <= 2 && sizes[2] <= 2;
    return is_year_first || (sizes[0] <= 2 && sizes[1] <= 2 && sizes[2] == 4);
}

// What stands between a label and a number, read to the left.
class WordsBefore {
  public:
    WordsBefore(const Scan& scan, std::size_t at) : scan_(scan), at_(at) {}

    // The word before, in lower case, or nothing when only `between` and letters of scripts without
    // blanks part it from here.
    [[nodiscard]] std::string_view next(std::string_view between) {
        constexpr std::size_t between_bytes_max = 12;
        const std::size_t from = at_;
        while (at_ > 0 && from - at_ < between_bytes_max && word_bytes() == 0) {
            const char c = scan_.text[at_ - 1];
            const bool is_wide = static_cast<unsigned char>(c) >= 0x80;
            if (!is_wide && between.find(c) == std::string_view::npos) return {};
            --at_;
        }
        std::size_t size = 0;
        for (std::size_t bytes = word_bytes(); bytes != 0; bytes = word_bytes()) {
            if (size + bytes > word_.size()) return {};
            for (; bytes > 0; --bytes)
                word_[word_.size() - ++size] = ascii_lower(scan_.text[--at_]);
        }
        return {word_.data() + (word_.size() - size), size};
    }

  private:
    // Bytes of the letter before: ASCII, or two bytes long as in Latin, Greek or Cyrillic; or 0.
    [[nodiscard]] std::size_t word_bytes() const {
        if (is_letter(scan_.before(at_))) return 1;
        const auto last = static_cast<unsigned char>(scan_.before(at_));
        const auto first = static_cast<unsigned char>(scan_.before(at_, 2));
        return (last & 0xC0) == 0x80 && first >= 0xC3 && first < 0xE0 ? 2 : 0;
    }

    const Scan& scan_;
    std::size_t at_;
    std::array<char, 20> word_{};
};

bool is_phone_word(std::string_view word) {
    for (const std::string_view whole :
         {"tel",
          "tél",
          "telf",
          "tlf",
          "portable",
          "cell",
          "cellphone",
          "cel",
          "gsm",
          "fax",
          "handy",
          "rufnummer",
          "тел",
          "моб"}) {
        if (word == whole) return true;
    }
    for (const std::string_view stem :
         {"phone",
          "telefo",
          "teléfo",
          "télépho",
          "telepho",
          "mobil",
          "móvil",
          "celular",
          "cellular",
          "komórk",
          "whatsapp",
          "handynum",
          "телефон",
          "мобил"}) {
        if (word.starts_with(stem)) return true;
    }
    return false;
}

bool is_number_word(std::string_view word) {
    for (const std::string_view other :
         {"number", "nummer", "numer", "numero", "número", "numéro", "no", "nr", "num"}) {
        if (word == other) return true;
    }
    return false;
}

// A word that says of a number that it is another one's.
bool is_other_word(std::string_view word) {
    for (const std::string_view other :
         {"id",   "order", "case",    "model",  "build", "version", "ticket",
          "code", "sku",   "account", "serial", "item",  "part",    "invoice",
          "imei", "price", "port",    "on",     "at",    "since"}) {
        if (word == other) return true;
    }
    return false;
}

// Words for a telephone in scripts whose letters take three bytes, within a few bytes to the left.
bool has_wide_label(const Scan& scan, std::size_t begin) {
    constexpr std::size_t reach = 48;
    const std::size_t from = begin > reach ? begin - reach : 0;
    const std::string_view left = scan.text.substr(from, begin - from);
    const bool is_wide = std::any_of(left.begin(), left.end(), [](char c) {
        return static_cast<unsigned char>(c) >= 0xE0;
    });
    if (!is_wide || std::any_of(left.begin(), left.end(), is_digit)) return false;
    for (const std::string_view label :
         {"電話", "携帯", "电话", "手机", "전화", "फोन", "फ़ोन", "मोबाइल"}) {
        if (left.find(label) != std::string_view::npos) return true;
    }
    return false;
}

// «phone: », «Mon téléphone est le », «tel. no. »: at most one word stands between.
bool has_phone_label(const Scan& scan, std::size_t begin) {
    WordsBefore words(scan, begin);
    std::size_t others = 0;
    std::string_view between = " :=\"'\\.#(";
    for (int i = 0; i < 4; ++i) {
        const std::string_view word = words.next(between);
        if (word.empty()) break;
        if (is_phone_word(word)) return true;
        if (is_other_word(word)) return false;
        if (!is_number_word(word) && word.size() > 2 && ++others > 1) return false;
        between = " :.";
    }
    return has_wide_label(scan, begin);
}

}  // namespace

// North American: [1-](415) 555-0132, 415-555-0132, 415.555.0132.
bool detect_nanp_phone(Scan& scan, std::size_t start) {
    std::size_t i = start;
    if (scan.text[i] == '1' &&
        (scan.at(i + 1) == '-' || scan.at(i + 1) == '.' || scan.at(i + 1) == ' ')) {
        i += 2;
    }
    std::size_t begin = start;
    const auto three = [&](std::size_t at) {
        return scan.at(at) >= '2' && scan.at(at) <= '9' && is_digit(scan.at(at + 1)) &&
               is_digit(scan.at(at + 2));
    };
    const auto is_separator = [](char c) {
        return c == '-' || c == '.' || c == ' ';
    };
    bool has_bracket = i == start && scan.before(i) == '(' && scan.at(i + 3) == ')';
    if (has_bracket) begin = start - 1;
    if (i != start && scan.at(i) == '(') {
        has_bracket = true;
        ++i;
    }
    if (!three(i)) return false;
    i += 3;
    if (has_bracket) {
        if (scan.at(i) != ')') return false;
        ++i;
        if (is_separator(scan.at(i))) ++i;
    } else {
        if (!is_separator(scan.at(i))) return false;
        ++i;
    }
    if (!three(i) || !is_separator(scan.at(i + 3))) return false;
    i += 4;
    for (const std::size_t end = i + 4; i < end; ++i) {
        if (!is_digit(scan.at(i))) return false;
    }
    if (number_before(scan, begin) || number_at(scan, i)) return false;
    scan.add(Detector::phone, begin, i);
    return true;
}

// With the trunk prefix 0: 030 123456, 020 7946 0958, 01 23 45 67 89, 0151/2345678. Groups that go
// on behind a blank may be another number: the longest fitting ones are taken.
bool detect_national_phone(Scan& scan, std::size_t start, const Groups& groups) {
    constexpr std::size_t digits_min = 9;
    constexpr std::size_t digits_max = 12;
    if (scan.text[start] != '0' || groups.count < 2 || !is_digit(scan.at(start + 1))) return false;
    if (scan.text[start + 1] == '0' || groups.sizes[0] > 5) return false;
    std::size_t fitting = 0;  // groups
    bool are_pairs = true;
    bool are_long = true;
    for (std::size_t i = 1; i < groups.count; ++i) {
        const char separator = groups.separators[i - 1];
        if (separator == '.') break;
        if (i >= 2 && (separator == '/' || separator != groups.separators[1])) break;
        are_pairs = are_pairs && groups.sizes[i] == 2;
        are_long = are_long && groups.sizes[i] >= 3 && i < 4;
        const std::size_t total = groups.digits_to[i];
        if (total > digits_max || !(are_pairs || are_long)) break;
        const bool is_whole = are_long ? total >= digits_min : total > digits_min;
        if (is_whole && !number_at(scan, groups.ends[i])) fitting = i + 1;
    }
    if (fitting == 0 || number_before(scan, start)) return false;
    const bool is_zip =
        fitting == 2 && groups.sizes[0] == 5 && groups.sizes[1] == 4 && groups.separators[0] == '-';
    const bool is_dump = are_pairs && scan.before(start) == ' ' && is_hex(scan.before(start, 2)) &&
                         is_hex(scan.before(start, 3)) && !is_alnum(scan.before(start, 4));
    if (is_zip || is_dump) return false;
    scan.add(Detector::phone, start, groups.ends[fitting - 1]);
    return true;
}

std::size_t bracketed_digits(const Scan& scan, std::size_t start) {
    constexpr std::size_t area_digits_max = 5;
    if (scan.before(start) != '(') return 0;
    std::size_t end = start;
    while (end - start <= area_digits_max && is_digit(scan.at(end)))
        ++end;
    const std::size_t size = end - start;
    return size >= 2 && size <= area_digits_max && scan.at(end) == ')' ? size : 0;
}

// (0161) 496 0636, (04215) 37738, (0671)-618642; (11) 91234-5678 of Brazil.
bool detect_bracketed_phone(Scan& scan, std::size_t start) {
    const std::size_t area = bracketed_digits(scan, start);
    if (area == 0 || scan.word_before(start - 1)) return false;
    std::size_t i = start + area + 1;
    if (is_phone_separator(scan.at(i)) || scan.at(i) == '/') ++i;
    const std::size_t first = digits_at(scan, i);
    if (first < 2) return false;
    const bool has_trunk = scan.text[start] == '0' && scan.text[start + 1] != '0';
    if (has_trunk) {
        const Run run = read_run(scan, i, {9 - area, 0});
        const std::size_t digits = area + run.digits;
        if (digits < 9 || digits > 12 || number_at(scan, run.end)) return false;
        scan.add(Detector::phone, start - 1, run.end);
        return true;
    }
    const std::size_t dash = i + first;
    const bool is_brazilian = area == 2 && (first == 4 || first == 5) && scan.at(dash) == '-' &&
                              digits_at(scan, dash + 1) == 4;
    if (!is_brazilian || number_at(scan, dash + 5)) return false;
    scan.add(Detector::phone, start - 1, dash + 5);
    return true;
}

std::size_t labelled_phone_end(const Scan& scan, std::size_t begin) {
    constexpr Extent national{9, 0};
    const Run run = read_run(scan, begin, national);
    const bool fits = run.digits >= phone_digits_min && run.digits <= phone_digits_max;
    return fits && !number_at(scan, run.end) ? run.end : begin;
}

// 0121 496 0720, 604 288 481, (11) 3123 4567, 4155550132: what has no form of its own counts beside
// a word such as «phone» only.
bool detect_labelled_phone(Scan& scan, std::size_t start, const Groups& groups) {
    const std::size_t begin = bracketed_digits(scan, start) != 0 ? start - 1 : start;
    if (number_before(scan, begin) || is_date(groups)) return false;
    if (groups.count == 2 && groups.separators[0] == '.') return false;  // a fraction
    const std::size_t end = labelled_phone_end(scan, begin);
    if (end == begin || !has_phone_label(scan, begin)) return false;
    scan.add(Detector::phone, begin, end);
    return true;
}

// E.164 with its plus sign: 8 to 15 digits in groups.
void detect_international_phone(Scan& scan, std::size_t plus) {
    constexpr std::size_t digits_min = 8;
    const std::size_t start = plus + 1;
    if (!scan.wants(Detector::phone) || !is_digit(scan.at(start))) return;
    if (scan.word_before(plus) || scan.text[start] == '0') return;
    const std::size_t enough = scan.text[start] == '1' ? 11 : 10;
    const Run run = read_run(scan, start, {enough, digits_most(scan.text.substr(start, 2))});
    if (run.digits < digits_min || run.digits > phone_digits_max) return;
    if (is_fraction(scan.text.substr(start, run.end - start), run.digits)) return;
    if (!is_alnum(scan.at(run.end))) scan.add(Detector::phone, plus, run.end);
}

}  // namespace spangate
