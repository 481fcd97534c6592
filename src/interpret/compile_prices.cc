// From a YAML file to a PriceTable, or to all that is wrong with it.
#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "config/yaml_tree.h"
#include "digest/sha256.h"
#include "interpret/price_table.h"
#include "interpret/table_faults.h"

namespace spangate {
namespace {

constexpr std::string_view schema_name = "agent-prices/1";
constexpr double rate_max = 1e6;  // USD per million tokens; more is a unit mistaken
constexpr std::int64_t prompt_above_max = 1'000'000'000;
constexpr std::size_t version_bytes_max = 64;
constexpr std::size_t hash_size = 8;
constexpr std::size_t prices_max = 10'000;

// A list of rates before what it leaves out is settled.
struct Rates {
    std::optional<double> input;
    std::optional<double> output;
    std::optional<double> cache_read;
    std::optional<double> cache_write;
    std::optional<double> reasoning;

    [[nodiscard]] Rates over(const Rates& base) const {
        return {
            input ? input : base.input,
            output ? output : base.output,
            cache_read ? cache_read : base.cache_read,
            cache_write ? cache_write : base.cache_write,
            reasoning ? reasoning : base.reasoning};
    }

    [[nodiscard]] TokenRates settled() const {
        const double in = input.value_or(0);
        const double out = output.value_or(0);
        return {
            in, out, cache_read.value_or(in), cache_write.value_or(in), reasoning.value_or(out)};
    }
};

bool covers(const std::vector<std::string>& wide, const std::vector<std::string>& narrow) {
    return std::all_of(narrow.begin(), narrow.end(), [&wide](const std::string& glob) {
        // A glob that matches another's text takes the other's `*` for one of its own.
        return std::any_of(wide.begin(), wide.end(), [&glob](const std::string& other) {
            return matches_glob(other, glob);
        });
    });
}

bool hides(const Price& earlier, const Price& later) {
    if (earlier.from > later.from || earlier.until < later.until) return false;
    if ((later.hours & ~earlier.hours) != 0) return false;
    if (!covers(earlier.models, later.models)) return false;
    if (earlier.providers.empty()) return true;
    return !later.providers.empty() && covers(earlier.providers, later.providers);
}

class PriceCompiler {
  public:
    explicit PriceCompiler(TableFaults& faults) : faults_(faults) {}

    void compile(const YamlNode& root);

    std::vector<Price> prices;
    std::string version;
    bool extends_builtin = false;

  private:
    void compile_head(const YamlNode& root);
    void compile_version(const YamlNode& node);
    void compile_price(const YamlNode& node);
    void compile_times(const YamlNode& node, Price& price);
    void compile_tiers(const YamlNode& list, const Rates& base, Price& price);
    void note_hidden(const YamlNode& node, const Price& price);
    [[nodiscard]] Rates rates_of(const YamlNode& node);
    [[nodiscard]] std::optional<double> rate_of(const YamlNode& node, std::string_view key);
    [[nodiscard]] std::vector<std::string> globs_of(const YamlNode& node);
    [[nodiscard]] WallNanos time_of(const YamlNode& node, WallNanos otherwise);
    [[nodiscard]] HoursOfDay hours_of(const YamlNode& node);

    TableFaults& faults_;
    std::vector<std::uint32_t> lines_;  // of the entries
};

void PriceCompiler::compile(const YamlNode& root) {
    faults_.expect_map(root, {"schema", "version", "extends", "prices"});
    if (!root.is_map()) return;
    compile_head(root);
    const YamlNode* list = root.find("prices");
    if (list == nullptr) return faults_.add(root, "prices: a list of entries is wanted");
    if (list->items.size() > prices_max) {
        return faults_.add(*list, fmt::format("more than {} entries", prices_max));
    }
    for (const YamlNode* entry : faults_.list_of(*list))
        compile_price(*entry);
}

void PriceCompiler::compile_head(const YamlNode& root) {
    const YamlNode* schema = root.find("schema");
    if (schema == nullptr || schema->scalar != schema_name) {
        faults_.add(
            schema == nullptr ? root : *schema, fmt::format("schema: {} is wanted", schema_name)
        );
    }
    if (const YamlNode* named = root.find("version")) {
        compile_version(*named);
    } else {
        faults_.add(root, "version: is wanted, such as the day of the prices");
    }
    if (const YamlNode* base = root.find("extends")) {
        extends_builtin = base->is_scalar() && base->scalar == "builtin";
        if (!extends_builtin) faults_.add(*base, "extends: only `builtin` can stand here");
    }
}

// It becomes part of an Id of the contract (§5, Forms).
void PriceCompiler::compile_version(const YamlNode& node) {
    version = faults_.text_of(node);
    const bool is_good = !version.empty() && version.size() <= version_bytes_max &&
                         std::all_of(version.begin(), version.end(), [](char c) {
                             return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                                    (c >= 'A' && c <= 'Z') ||
                                    std::string_view("_.:-").find(c) != std::string_view::npos;
                         });
    if (!is_good) {
        faults_.add(
            node,
            fmt::format(
                "1 to {} letters, digits, '_', '.', ':' and '-' are wanted here", version_bytes_max
            )
        );
    }
}

void PriceCompiler::compile_price(const YamlNode& node) {
    faults_.expect_map(
        node,
        {"provider",
         "model",
         "from",
         "until",
         "hours",
         "input",
         "output",
         "cache_read",
         "cache_write",
         "reasoning",
         "tiers"}
    );
    if (!node.is_map()) return;
    Price price;
    if (const YamlNode* providers = node.find("provider")) price.providers = globs_of(*providers);
    if (const YamlNode* models = node.find("model")) {
        price.models = globs_of(*models);
    } else {
        faults_.add(node, "model: a name or a list of names is wanted; `*` stands for any text");
    }
    compile_times(node, price);
    const Rates rates = rates_of(node);
    if (!rates.input || !rates.output) {
        faults_.add(node, "input and output are wanted, in USD per million tokens");
    }
    price.rates = rates.settled();
    if (const YamlNode* tiers = node.find("tiers")) compile_tiers(*tiers, rates, price);
    note_hidden(node, price);
    lines_.push_back(node.place.line);
    prices.push_back(std::move(price));
}

void PriceCompiler::compile_times(const YamlNode& node, Price& price) {
    if (const YamlNode* from = node.find("from")) price.from = time_of(*from, since_ever);
    if (const YamlNode* hours = node.find("hours")) price.hours = hours_of(*hours);
    const YamlNode* until = node.find("until");
    if (until == nullptr) return;
    price.until = time_of(*until, for_ever);
    if (price.until <= price.from) faults_.add(*until, "until: a time after `from` is wanted here");
}

void PriceCompiler::compile_tiers(const YamlNode& list, const Rates& base, Price& price) {
    for (const YamlNode* node : faults_.list_of(list)) {
        faults_.expect_map(
            *node, {"prompt_above", "input", "output", "cache_read", "cache_write", "reasoning"}
        );
        if (!node->is_map()) continue;
        const YamlNode* above = node->find("prompt_above");
        if (above == nullptr) {
            faults_.add(*node, "prompt_above: is wanted, in tokens");
            continue;
        }
        const std::int64_t tokens = faults_.integer_of(*above);
        const std::int64_t before = price.tiers.empty() ? 0 : price.tiers.back().prompt_above;
        if (tokens <= before || tokens > prompt_above_max) {
            faults_.add(
                *above, fmt::format("more than {} and at most {}", before, prompt_above_max)
            );
        }
        price.tiers.push_back({tokens, rates_of(*node).over(base).settled()});
    }
}

// An entry that can never be used is a mistake in the order.
void PriceCompiler::note_hidden(const YamlNode& node, const Price& price) {
    if (price.models.empty()) return;
    for (std::size_t i = 0; i < prices.size(); ++i) {
        if (!hides(prices[i], price)) continue;
        return faults_.add(
            node,
            fmt::format(
                "never used: the entry in line {} holds for the same models and times; put this "
                "one before it, or give it `from` or `until`",
                lines_[i]
            )
        );
    }
}

Rates PriceCompiler::rates_of(const YamlNode& node) {
    return {
        rate_of(node, "input"),
        rate_of(node, "output"),
        rate_of(node, "cache_read"),
        rate_of(node, "cache_write"),
        rate_of(node, "reasoning")};
}

std::optional<double> PriceCompiler::rate_of(const YamlNode& node, std::string_view key) {
    const YamlNode* value = node.find(key);
    if (value == nullptr) return std::nullopt;
    const double rate = faults_.number_of(*value);
    if (!(rate >= 0 && rate <= rate_max)) {
        faults_.add(
            *value, fmt::format("{}: USD per million tokens, 0 to {}, are wanted", key, rate_max)
        );
        return 0;
    }
    return rate;
}

std::vector<std::string> PriceCompiler::globs_of(const YamlNode& node) {
    std::vector<std::string> globs;
    for (const YamlNode* item : faults_.list_of(node)) {
        std::string glob = faults_.text_of(*item);
        if (glob.empty() || glob.size() > PriceTable::name_bytes_max) {
            faults_.add(
                *item, fmt::format("1 to {} bytes are wanted here", PriceTable::name_bytes_max)
            );
        }
        std::transform(glob.begin(), glob.end(), glob.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        globs.push_back(std::move(glob));
    }
    if (globs.empty()) faults_.add(node, "at least one name is wanted here");
    return globs;
}

WallNanos PriceCompiler::time_of(const YamlNode& node, WallNanos otherwise) {
    std::string text = faults_.text_of(node);
    if (text.size() == std::string_view("2026-01-31").size()) text += "T00:00:00Z";
    const std::optional<WallNanos> time = from_rfc3339(text);
    if (!time) faults_.add(node, "a day such as 2026-01-31 or a time in UTC is wanted here");
    return time.value_or(otherwise);
}

// `6-10`: from six o'clock to ten o'clock.
HoursOfDay PriceCompiler::hours_of(const YamlNode& node) {
    HoursOfDay hours = 0;
    for (const YamlNode* item : faults_.list_of(node)) {
        const std::string text = faults_.text_of(*item);
        unsigned first = 0;
        unsigned end = 0;
        const char* const text_end = text.data() + text.size();
        const auto from = std::from_chars(text.data(), text_end, first);
        bool is_good = from.ec == std::errc() && from.ptr != text_end && *from.ptr == '-';
        if (is_good) {
            const auto to = std::from_chars(from.ptr + 1, text_end, end);
            is_good = to.ec == std::errc() && to.ptr == text_end && first < end && end <= 24;
        }
        if (!is_good) {
            faults_.add(*item, "hours of the day in UTC, such as 6-10, are wanted here");
            continue;
        }
        for (unsigned hour = first; hour < end; ++hour)
            hours |= HoursOfDay{1} << hour;
    }
    return hours;
}

}  // namespace

Result<std::shared_ptr<const PriceTable>> load_prices(
    std::string_view yaml, std::string_view name
) {
    const Result<YamlNode> root = parse_yaml(yaml, name);
    if (!root) return tl::unexpected<Error>(root.error());
    TableFaults faults(name);
    PriceCompiler compiler(faults);
    compiler.compile(*root);
    Sha256 hasher;
    hasher.add(yaml);
    if (compiler.extends_builtin && yaml != builtin_prices()) {
        const auto base = load_prices(builtin_prices(), "built-in prices");
        if (!base) return tl::unexpected<Error>(base.error());
        const std::span<const Price> more = (*base)->prices();
        compiler.prices.insert(compiler.prices.end(), more.begin(), more.end());
        hasher.add((*base)->version());
    }
    if (!faults.empty()) return fail(ErrorCode::invalid_argument, faults.text());
    // A letter before the hash keeps it from reading like a number that belongs to someone.
    std::string version =
        fmt::format("{}-h{}", compiler.version, to_hex(hasher.finish()).substr(0, hash_size));
    return std::make_shared<const PriceTable>(std::move(compiler.prices), std::move(version));
}

}  // namespace spangate
