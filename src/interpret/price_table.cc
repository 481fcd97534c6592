#include "interpret/price_table.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace spangate {
namespace {

constexpr double tokens_per_rate = 1e6;
constexpr std::size_t forms_max = 3;
constexpr WallNanos nanos_per_hour = 3'600'000'000'000;
constexpr WallNanos hours_per_day = 24;

// Rounded down, also before 1970.
WallNanos hour_of(WallNanos at) {
    return at / nanos_per_hour - (at % nanos_per_hour < 0 ? 1 : 0);
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Digits at the end of `text`.
std::size_t digits_behind(std::string_view text) {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[text.size() - 1 - count]))
        ++count;
    return count;
}

// A version as Bedrock writes it: `-v1:0`, `-v2`.
std::string_view without_version(std::string_view name) {
    std::string_view rest = name;
    if (const std::size_t minor = digits_behind(rest); minor > 0 && minor < rest.size()) {
        if (rest[rest.size() - minor - 1] == ':') rest.remove_suffix(minor + 1);
    }
    const std::size_t major = digits_behind(rest);
    if (major == 0) return name;
    rest.remove_suffix(major);
    if (!rest.ends_with("-v")) return name;
    rest.remove_suffix(2);
    return rest;
}

// A day of this century behind a hyphen: `-20250514` or `-2025-08-07`.
std::string_view without_day(std::string_view name) {
    for (const std::string_view shape : {std::string_view("-20dddddd"), {"-20dd-dd-dd"}}) {
        if (name.size() <= shape.size()) continue;
        const std::string_view tail = name.substr(name.size() - shape.size());
        const bool fits =
            std::equal(tail.begin(), tail.end(), shape.begin(), [](char c, char wanted) {
                return wanted == 'd' ? is_digit(c) : c == wanted;
            });
        if (fits) return name.substr(0, name.size() - shape.size());
    }
    return name;
}

// The forms in which a model's name is looked up, as the head of config/prices.yaml tells.
struct NameForms {
    explicit NameForms(std::string_view name) {
        add(name);
        if (const std::size_t slash = name.rfind('/'); slash != std::string_view::npos) {
            name.remove_prefix(slash + 1);
            add(name);
        }
        add(without_day(without_version(name.substr(0, name.find('@')))));
    }

    void add(std::string_view form) {
        if (form.empty() || (count > 0 && forms[count - 1] == form)) return;
        forms[count++] = form;
    }

    std::array<std::string_view, forms_max> forms{};
    std::size_t count = 0;
};

// A copy in lower case; the price table compares nothing else.
class LowerCase {
  public:
    explicit LowerCase(std::string_view text) : size_(text.size()) {
        for (std::size_t i = 0; i < size_; ++i) {
            const char c = text[i];
            text_[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        }
    }

    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

  private:
    std::array<char, PriceTable::name_bytes_max> text_;
    std::size_t size_;
};

bool matches_one(const std::vector<std::string>& globs, std::string_view text) {
    return std::any_of(globs.begin(), globs.end(), [text](const std::string& glob) {
        return matches_glob(glob, text);
    });
}

double positive(std::int64_t tokens) {
    return static_cast<double>(std::max<std::int64_t>(tokens, 0));
}

}  // namespace

// One `*` is remembered at a time: a later one may take over, because what the earlier one stood
// for may as well be shorter. O(glob · text).
bool matches_glob(std::string_view glob, std::string_view text) {
    std::size_t g = 0;
    std::size_t t = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_text = 0;
    while (t < text.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            star_text = t;
        } else if (g < glob.size() && glob[g] == text[t]) {
            ++g;
            ++t;
        } else if (star != std::string_view::npos) {
            g = star + 1;
            t = ++star_text;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*')
        ++g;
    return g == glob.size();
}

bool Price::is_in_force(WallNanos at) const {
    if (at < from || at >= until) return false;
    if (hours == every_hour) return true;
    const WallNanos hour = hour_of(at) % hours_per_day;
    return (hours >> (hour < 0 ? hour + hours_per_day : hour) & 1U) != 0;
}

double Price::cost_of(const TokenCounts& counts) const {
    const TokenRates* now = &rates;
    for (const PriceTier& tier : tiers) {
        if (counts.prompt > tier.prompt_above) now = &tier.rates;
    }
    const double read = positive(counts.cache_read);
    const double written = positive(counts.cache_write);
    const double reasoned = positive(counts.reasoning);
    const double fresh = std::max(positive(counts.prompt) - read - written, 0.0);
    const double said = std::max(positive(counts.completion) - reasoned, 0.0);
    return (fresh * now->input + read * now->cache_read + written * now->cache_write +
            said * now->output + reasoned * now->reasoning) /
           tokens_per_rate;
}

PriceMatch PriceTable::find(std::string_view provider, std::string_view model, WallNanos at) const {
    PriceMatch match;
    if (model.empty() || model.size() > name_bytes_max || provider.size() > name_bytes_max) {
        return match;
    }
    const LowerCase folded_provider(provider);
    const LowerCase folded_model(model);
    const NameForms names(folded_model.view());
    for (std::size_t i = 0; i < names.count; ++i) {
        for (const Price& price : prices_) {
            if (!matches_one(price.models, names.forms[i])) continue;
            if (!price.providers.empty() && !matches_one(price.providers, folded_provider.view())) {
                continue;
            }
            // The answer is good for as long as each entry that was looked at says the same.
            if (price.hours != every_hour && at >= price.from && at < price.until) {
                const WallNanos hour = hour_of(at) * nanos_per_hour;
                match.valid_from = std::max(match.valid_from, hour);
                match.valid_until = std::min(match.valid_until, hour + nanos_per_hour);
            }
            if (price.is_in_force(at)) {
                match.price = &price;
                match.valid_from = std::max(match.valid_from, price.from);
                match.valid_until = std::min(match.valid_until, price.until);
                return match;
            }
            if (at < price.from) match.valid_until = std::min(match.valid_until, price.from);
            if (at >= price.until) match.valid_from = std::max(match.valid_from, price.until);
        }
    }
    return match;
}

}  // namespace spangate
