// Vendors' keys and webhooks that their form tells: lengths, alphabets, marks inside of them.
#include <array>

#include "redact/scan.h"

namespace spangate {
namespace {

constexpr bool is_lower_hex(char c) {
    return is_digit(c) || (c >= 'a' && c <= 'f');
}

constexpr bool is_capital_or_digit(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z');
}

// The end of the bytes from `begin` on that `holds` says yes to; looks at `bytes_max` at most.
template <typename Holds>
std::size_t run_end(const Scan& scan, std::size_t begin, std::size_t bytes_max, Holds holds) {
    std::size_t end = begin;
    while (end - begin < bytes_max && holds(scan.at(end)))
        ++end;
    return end;
}

bool stands_before(const Scan& scan, std::size_t i, std::string_view what) {
    return i >= what.size() && scan.text.substr(i - what.size(), what.size()) == what;
}

// Both kinds of what a secret in hexadecimal has before it; Twilio's account ids need a label.
std::size_t hex_prefix_bytes(const Scan& scan, std::size_t i) {
    constexpr std::string_view databricks = "dapi";
    if (stands_before(scan, i, databricks)) return databricks.size();
    if (stands_before(scan, i, "SK")) return 2;
    const bool is_account = stands_before(scan, i, "AC") &&
                            (is_labelled(scan, i - 2, "sid") || is_labelled(scan, i - 2, "twilio"));
    return is_account ? 2 : 0;
}

}  // namespace

// Databricks (dapi) and Twilio (SK; AC when labelled) with 32 hexadecimal digits. `first_digit` is
// that of a run of two at least; the first such run of a token looks for its start, so that a long
// one is walked over once. (In 32 digits such a run is missing once in 50 000 times.)
void detect_hex_key(Scan& scan, std::size_t first_digit) {
    constexpr std::size_t key_hex_bytes = 32;
    std::size_t begin = first_digit;
    while (begin > 0 && first_digit - begin < key_hex_bytes && is_lower_hex(scan.text[begin - 1])) {
        --begin;
        if (is_digit(scan.text[begin]) && is_digit(scan.before(begin))) return;
    }
    const char last = scan.before(begin);
    if (last != 'i' && last != 'K' && last != 'C') return;
    if (!scan.wants(Detector::vendor_keys)) return;
    const std::size_t end = run_end(scan, begin, key_hex_bytes + 1, is_lower_hex);
    if (end - begin != key_hex_bytes || scan.word_at(end)) return;
    const std::size_t prefix = hex_prefix_bytes(scan, begin);
    if (prefix == 0 || scan.word_before(begin - prefix)) return;
    const bool has_number = prefix == 4 && scan.at(end) == '-' && is_digit(scan.at(end + 1));
    scan.add(Detector::vendor_keys, begin - prefix, has_number ? end + 2 : end);
}

// hooks.slack.com/services/T…/B…/…: what stands behind `services/` is the secret. `capital_b` opens
// the second part.
void detect_slack_webhook(Scan& scan, std::size_t capital_b) {
    constexpr std::size_t id_bytes_max = 16;
    constexpr std::size_t token_bytes_min = 16;
    constexpr std::size_t token_bytes_max = 64;
    if (!scan.wants(Detector::vendor_keys) || capital_b == 0) return;
    const std::size_t slash = capital_b - 1;
    std::size_t begin = slash;
    while (begin > 0 && slash - begin < id_bytes_max && is_capital_or_digit(scan.text[begin - 1]))
        --begin;
    if (scan.text[begin] != 'T') return;
    if (!stands_before(scan, begin, "hooks.slack.com/services/") &&
        !stands_before(scan, begin, "hooks.slack-gov.com/services/")) {
        return;
    }
    const std::size_t token = run_end(scan, capital_b, id_bytes_max, is_capital_or_digit) + 1;
    if (scan.at(token - 1) != '/') return;
    const std::size_t end = run_end(scan, token, token_bytes_max, is_alnum);
    if (end - token >= token_bytes_min) scan.add(Detector::vendor_keys, begin, end);
}

// Webhooks with a number in their path: Discord's webhooks/NUMBER/TOKEN; Slack's triggers and
// workflows. `start` is the number's first digit.
bool detect_numbered_webhook(Scan& scan, std::size_t start) {
    constexpr std::size_t number_bytes_max = 20;
    constexpr std::size_t token_bytes_min = 24;
    constexpr std::size_t token_bytes_max = 128;
    constexpr std::size_t host_reach = 64;
    if (!scan.wants(Detector::vendor_keys) || scan.before(start) != '/') return false;
    const std::size_t slash = run_end(scan, start, number_bytes_max + 1, is_digit);
    if (slash - start < 9 || scan.at(slash) != '/') return false;
    const std::string_view left =
        scan.text.substr(start > host_reach ? start - host_reach : 0, std::min(start, host_reach));
    const bool is_discord = left.ends_with("/api/webhooks/");
    if (!is_discord && left.find("hooks.slack") == std::string_view::npos) return false;
    const std::size_t end = run_end(scan, slash + 1, token_bytes_max, is_base64url);
    if (end - slash - 1 < token_bytes_min) return false;
    scan.add(Detector::vendor_keys, start, end);
    return true;
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

// An API key of Azure's services: 84 characters with JQQJ9 behind the first 52. `capital_j` is the
// first J of the mark.
void detect_azure_api_key(Scan& scan, std::size_t capital_j) {
    constexpr std::size_t before_mark_bytes = 52;
    constexpr std::size_t key_bytes = 84;
    if (!scan.wants(Detector::vendor_keys) || !scan.starts_with(capital_j, "JQQJ9")) return;
    if (capital_j < before_mark_bytes) return;
    const std::size_t begin = capital_j - before_mark_bytes;
    const std::size_t end = run_end(scan, begin, key_bytes, is_alnum);
    if (end - begin != key_bytes || scan.word_before(begin) || scan.word_at(end)) return;
    scan.add(Detector::vendor_keys, begin, end);
}

// A key of Azure's storage, service bus or event hubs, with its mark: base64 of 64 or 32 bytes.
void detect_azure_account_key(Scan& scan, std::size_t plus) {
    struct Form {
        std::string_view mark;
        std::size_t begin = 0;  // bytes before the mark
        std::size_t bytes = 0;  // in all
    };

    static constexpr std::array<Form, 3> forms = {
        {{"+ASt", 76, 88}, {"+ASb", 33, 44}, {"+AEh", 33, 44}}};
    if (!scan.wants(Detector::vendor_keys)) return;
    for (const Form& form : forms) {
        if (plus < form.begin || !scan.starts_with(plus, form.mark)) continue;
        const std::size_t begin = plus - form.begin;
        const std::size_t end = run_end(scan, begin, form.bytes, is_base64);
        if (end - begin != form.bytes || scan.text[end - 1] != '=') continue;
        if (is_base64(scan.at(end)) || scan.word_before(begin)) continue;
        scan.add(Detector::vendor_keys, begin, end);
    }
}

}  // namespace spangate
