#include "timeline/loop_words.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include <xxhash.h>

#include "base/text.h"

namespace spangate {
namespace {

std::uint64_t hash64(std::string_view text) {
    return XXH3_64bits(text.data(), text.size());
}

constexpr double codes_per_doubling = 8;
constexpr double pause_min_ms = 1;
constexpr double cost_min_usd = 1e-6;

std::uint8_t coded(double value, double smallest) {
    if (!(value >= smallest)) return 0;
    const double code = 1 + std::round(codes_per_doubling * std::log2(value / smallest));
    return static_cast<std::uint8_t>(std::min(code, 255.0));
}

double decoded(std::uint8_t code, double smallest) {
    static const std::array<double, 256> powers = [] {
        std::array<double, 256> made{};
        for (std::size_t i = 1; i < made.size(); ++i)
            made[i] = std::exp2(static_cast<double>(i - 1) / codes_per_doubling);
        return made;
    }();
    return powers[code] * smallest;
}

constexpr std::size_t word_bytes_max = 64;

// The letters and digits of a name in lower case, without what joins its words.
class PlainName {
  public:
    explicit PlainName(std::string_view name) {
        for (const char c : name.substr(0, word_bytes_max)) {
            const char lower = ascii_lower(c);
            if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9'))
                letters_[size_++] = lower;
        }
    }

    [[nodiscard]] std::string_view view() const { return {letters_.data(), size_}; }

    template <std::size_t n>
    [[nodiscard]] bool has_any(const std::array<std::string_view, n>& parts) const {
        return std::any_of(parts.begin(), parts.end(), [this](std::string_view part) {
            return view().find(part) != std::string_view::npos;
        });
    }

  private:
    std::array<char, word_bytes_max> letters_{};
    std::size_t size_ = 0;
};

constexpr std::array<std::string_view, 14> transient_parts = {
    "timeout",
    "timedout",
    "deadline",
    "ratelimit",
    "toomanyrequests",
    "unavailable",
    "overloaded",
    "connect",
    "temporar",
    "throttl",
    "network",
    "socket",
    "econnrese",
    "internalservererror",
};
constexpr std::array<std::string_view, 22> permanent_parts = {
    "validation",    "schema",         "permission",     "unauthorized", "unauthenticated",
    "forbidden",     "accessdenied",   "invalidarg",     "invalidparam", "invalidrequest",
    "badrequest",    "unsupported",    "notimplemented", "typeerror",    "valueerror",
    "keyerror",      "attributeerror", "jsondecode",     "parseerror",   "malformed",
    "unprocessable", "authentication",
};
constexpr std::array<std::string_view, 6> absent_parts = {
    "notfound",
    "nosuch",
    "doesnotexist",
    "missingfile",
    "enoent",
    "unknownid",
};

// The first word of a tool's own name: what follows the last dot, slash or colon, up to `_`, `-`
// or the next capital.
class FirstWord {
  public:
    explicit FirstWord(std::string_view tool) {
        const std::size_t place = tool.find_last_of("./:");
        if (place != std::string_view::npos) tool.remove_prefix(place + 1);
        if (tool.starts_with("mcp__")) tool.remove_prefix(tool.rfind("__") + 2);
        for (const char c : tool.substr(0, letters_.size())) {
            const bool is_capital = c >= 'A' && c <= 'Z';
            const bool is_letter = is_capital || (c >= 'a' && c <= 'z');
            if (!is_letter || (is_capital && size_ > 0)) break;
            letters_[size_++] = ascii_lower(c);
        }
    }

    template <std::size_t n>
    [[nodiscard]] bool is_one_of(const std::array<std::string_view, n>& words) const {
        const std::string_view word(letters_.data(), size_);
        return std::find(words.begin(), words.end(), word) != words.end();
    }

  private:
    std::array<char, 16> letters_{};
    std::size_t size_ = 0;
};

constexpr std::array<std::string_view, 34> writing_verbs = {
    "add",   "append",  "archive", "assign", "book",   "cancel", "close",  "create", "delete",
    "email", "enqueue", "insert",  "log",    "mark",   "move",   "notify", "patch",  "pay",
    "post",  "publish", "put",     "refund", "remove", "rename", "save",   "send",   "set",
    "store", "submit",  "tag",     "update", "upload", "upsert", "write",
};
constexpr std::array<std::string_view, 4> sleeping_verbs = {"sleep", "wait", "delay", "pause"};

}  // namespace

std::uint32_t loop_hash(std::string_view text) {
    if (text.empty()) return 0;
    const auto hash = static_cast<std::uint32_t>(hash64(text));
    return hash == 0 ? 1 : hash;
}

std::uint16_t loop_short_hash(std::string_view text) {
    if (text.empty()) return 0;
    const auto hash = static_cast<std::uint16_t>(hash64(text) >> 40U);
    return hash == 0 ? 1 : hash;
}

std::uint32_t loop_mix(std::uint32_t a, std::uint32_t b) {
    std::uint64_t mixed = (std::uint64_t{a} << 32U | b) * 0x9e3779b97f4a7c15;
    mixed ^= mixed >> 29U;
    mixed *= 0xbf58476d1ce4e5b9;
    const auto hash = static_cast<std::uint32_t>(mixed >> 32U);
    return hash == 0 ? 1 : hash;
}

std::uint8_t coded_pause(double ms) {
    return coded(ms, pause_min_ms);
}

double pause_ms(std::uint8_t code) {
    return decoded(code, pause_min_ms);
}

std::uint8_t coded_cost(double usd) {
    return coded(usd, cost_min_usd);
}

double coded_cost_usd(std::uint8_t code) {
    return decoded(code, cost_min_usd);
}

FailureNature nature_of(std::string_view error_class, std::int64_t http_status) {
    const PlainName name(error_class);
    if (http_status == 404 || http_status == 410) return FailureNature::absent;
    if (http_status == 408 || http_status == 409 || http_status == 425 || http_status == 429 ||
        http_status >= 500)
        return FailureNature::transient;
    if (http_status >= 400) return FailureNature::permanent;
    if (name.view() == "404" || name.has_any(absent_parts)) return FailureNature::absent;
    if (name.has_any(transient_parts)) return FailureNature::transient;
    if (name.has_any(permanent_parts)) return FailureNature::permanent;
    const std::string_view digits = name.view();
    if (digits.size() == 3 && digits.find_first_not_of("0123456789") == std::string_view::npos) {
        const int status = std::stoi(std::string(digits));
        if (status >= 400 && status < 600) return nature_of({}, status);
    }
    return FailureNature::ordinary;
}

bool is_interrupt(std::string_view error_class) {
    return PlainName(error_class)
        .has_any(std::array<std::string_view, 2>{"graphinterrupt", "approvalrequired"});
}

bool is_sleeping_tool(std::string_view tool) {
    return FirstWord(tool).is_one_of(sleeping_verbs);
}

bool is_writing_tool(std::string_view tool) {
    return FirstWord(tool).is_one_of(writing_verbs);
}

std::string_view handed_agent(std::string_view target) {
    for (const std::string_view prefix :
         {"transfer_to_", "delegate_to_", "handoff_to_", "hand_off_to_"}) {
        if (target.starts_with(prefix)) return target.substr(prefix.size());
    }
    return target;
}

}  // namespace spangate
