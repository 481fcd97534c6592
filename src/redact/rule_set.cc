#include "redact/rule_set.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <re2/re2.h>

#include "base/text.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

// A pattern that matches more often than this in one text has the rest of the text masked whole.
constexpr std::size_t matches_per_pattern_max = 10'000;
constexpr std::int64_t pattern_memory_bytes_max = 8 << 20;

constexpr std::array<std::string_view, 5> built_in_rules = {
    "key_drop", "key_hash", "identity", "form", "bytes"};

struct Pattern {
    std::string name;
    MatchAction action = MatchAction::mask;
    std::unique_ptr<re2::RE2> regex;
};

bool is_rule_name(std::string_view name) {
    constexpr std::size_t name_bytes_max = 32;
    if (name.empty() || name.size() > name_bytes_max) return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    });
}

std::optional<MatchAction> action_named(std::string_view name) {
    if (name == "mask") return MatchAction::mask;
    if (name == "hash") return MatchAction::hash;
    if (name == "drop") return MatchAction::drop;
    if (name == "keep_last4") return MatchAction::keep_last4;
    return std::nullopt;
}

constexpr std::string_view actions_text = "action is one of mask, hash, drop, keep_last4";

// What each detector does, and which are on.
struct DetectorActions {
    DetectorMask mask = 0;
    std::array<MatchAction, detectors_count> actions{};
};

Result<DetectorActions> detector_actions(const std::vector<std::string>& names) {
    DetectorActions detectors;
    for (const std::string& entry : names) {
        const std::size_t colon = entry.find(':');
        const std::string_view name = std::string_view(entry).substr(0, colon);
        const std::optional<MatchAction> action =
            colon == std::string::npos ? MatchAction::mask
                                       : action_named(std::string_view(entry).substr(colon + 1));
        if (!action) {
            return fail(
                ErrorCode::invalid_argument,
                "detector '" + entry + "': " + std::string(actions_text)
            );
        }
        if (name == "all") {
            detectors.mask = all_detectors;
            detectors.actions.fill(*action);
            continue;
        }
        const auto* const at = std::find(detector_names.begin(), detector_names.end(), name);
        if (at == detector_names.end()) {
            return fail(ErrorCode::invalid_argument, "unknown detector '" + entry + "'");
        }
        const auto i = static_cast<std::size_t>(at - detector_names.begin());
        detectors.mask |= DetectorMask{1} << i;
        detectors.actions[i] = *action;
    }
    return detectors;
}

Result<MatchAction> action_from(const RedactPattern& pattern) {
    if (const auto action = action_named(pattern.action)) return *action;
    return fail(
        ErrorCode::invalid_argument, "pattern '" + pattern.name + "': " + std::string(actions_text)
    );
}

Result<Pattern> compile_pattern(const RedactPattern& source) {
    if (!is_rule_name(source.name)) {
        return fail(
            ErrorCode::invalid_argument,
            "pattern '" + source.name + "': a name is 1 to 32 of a-z 0-9 _ -"
        );
    }
    const Result<MatchAction> action = action_from(source);
    if (!action) return tl::unexpected(action.error());
    re2::RE2::Options options;
    options.set_log_errors(false);
    options.set_max_mem(pattern_memory_bytes_max);
    Pattern pattern{source.name, *action, std::make_unique<re2::RE2>(source.regex, options)};
    if (!pattern.regex->ok()) {
        return fail(
            ErrorCode::invalid_argument, "pattern '" + source.name + "': " + pattern.regex->error()
        );
    }
    if (re2::RE2::FullMatch("", *pattern.regex)) {
        return fail(
            ErrorCode::invalid_argument,
            "pattern '" + source.name + "' matches the empty text, so it would match everywhere"
        );
    }
    return pattern;
}

void find_pattern(
    const Pattern& pattern, RuleId rule, std::string_view text, std::vector<Match>& matches
) {
    const re2::StringPiece input(text.data(), text.size());
    std::size_t from = 0;
    for (std::size_t count = 0; from < text.size(); ++count) {
        re2::StringPiece hit;
        if (!pattern.regex->Match(input, from, text.size(), re2::RE2::UNANCHORED, &hit, 1)) return;
        const auto begin = static_cast<std::size_t>(hit.data() - text.data());
        const std::size_t end = count < matches_per_pattern_max ? begin + hit.size() : text.size();
        if (end > begin) {
            matches.push_back(
                {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), rule}
            );
        }
        from = std::max(end, begin + 1);
    }
}

// Overlapping matches become one: nothing of either may stand. The longer one gives the rule. At
// least one match.
void join_overlaps(std::vector<Match>& matches) {
    std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
        if (a.begin != b.begin) return a.begin < b.begin;
        return a.end != b.end ? a.end > b.end : a.rule < b.rule;
    });
    std::size_t last = 0;
    std::uint32_t rule_bytes = matches[0].end - matches[0].begin;
    for (std::size_t i = 1; i < matches.size(); ++i) {
        const Match& match = matches[i];
        if (match.begin >= matches[last].end) {
            matches[++last] = match;
            rule_bytes = match.end - match.begin;
            continue;
        }
        if (match.end - match.begin > rule_bytes) {
            matches[last].rule = match.rule;
            rule_bytes = match.end - match.begin;
        }
        matches[last].end = std::max(matches[last].end, match.end);
    }
    matches.resize(last + 1);
}

bool is_listed(const std::vector<std::string>& keys, std::string_view key, bool allows_suffix) {
    return std::any_of(keys.begin(), keys.end(), [&](const std::string& listed) {
        if (key.size() < listed.size()) return false;
        const std::size_t from = key.size() - listed.size();
        if (!equals_ignore_case(key.substr(from), listed)) return false;
        return from == 0 || (allows_suffix && key[from - 1] == '.');
    });
}

}  // namespace

struct RuleSet::State {
    DetectorMask detectors = 0;
    std::array<MatchAction, detectors_count> actions{};
    std::vector<Pattern> patterns;
    std::vector<std::string> keys_drop;
    std::vector<std::string> keys_hash;
    std::vector<std::string> keys_allow;
    std::vector<std::string> placeholders;  // by rule
    std::string version;
};

namespace {

// Length-prefixed, so that no two configurations read alike.
class VersionHash {
  public:
    VersionHash& add(std::string_view text) {
        hasher_.add_u32be(static_cast<std::uint32_t>(text.size())).add(text);
        return *this;
    }

    VersionHash& add(const std::vector<std::string>& texts) {
        hasher_.add_u32be(static_cast<std::uint32_t>(texts.size()));
        for (const std::string& text : texts)
            add(text);
        return *this;
    }

    [[nodiscard]] std::string finish() {
        constexpr std::size_t version_bytes = 6;
        const Sha256Digest digest = hasher_.finish();
        return to_hex(std::span(digest).first(version_bytes));
    }

  private:
    Sha256 hasher_;
};

std::string version_of(const RedactConfig& config, const DetectorActions& detectors) {
    // Raised when a built-in detector changes what it finds.
    constexpr std::string_view engine = "spangate/redact/2";
    VersionHash hash;
    hash.add(engine).add(std::to_string(detectors.mask)).add(config.content_in_detail);
    for (const MatchAction action : detectors.actions)
        hash.add(std::to_string(static_cast<int>(action)));
    hash.add(std::to_string(config.content_bytes_max));
    hash.add(config.keys_drop).add(config.keys_hash).add(config.keys_allow);
    for (const RedactPattern& pattern : config.patterns)
        hash.add(pattern.name).add(pattern.regex).add(pattern.action);
    return hash.finish();
}

}  // namespace

RuleSet::RuleSet(std::unique_ptr<State> state) : state_(std::move(state)) {}

RuleSet::~RuleSet() = default;

Result<std::shared_ptr<const RuleSet>> RuleSet::compile(const RedactConfig& config) {
    auto state = std::make_unique<State>();
    const Result<DetectorActions> detectors = detector_actions(config.detectors);
    if (!detectors) return tl::unexpected(detectors.error());
    state->detectors = detectors->mask;
    state->actions = detectors->actions;
    if (config.content_in_detail != "redacted" && config.content_in_detail != "none") {
        return fail(ErrorCode::invalid_argument, "content_in_detail is redacted or none");
    }
    for (const RedactPattern& source : config.patterns) {
        Result<Pattern> pattern = compile_pattern(source);
        if (!pattern) return tl::unexpected(pattern.error());
        const auto has_name = [&](const auto& name) {
            return name == source.name;
        };
        if (std::any_of(detector_names.begin(), detector_names.end(), has_name) ||
            std::any_of(built_in_rules.begin(), built_in_rules.end(), has_name) ||
            std::any_of(state->patterns.begin(), state->patterns.end(), [&](const Pattern& other) {
                return other.name == source.name;
            })) {
            return fail(
                ErrorCode::invalid_argument, "pattern '" + source.name + "': the name is taken"
            );
        }
        state->patterns.push_back(std::move(*pattern));
    }
    state->keys_drop = config.keys_drop;
    state->keys_hash = config.keys_hash;
    state->keys_allow = config.keys_allow;
    state->version = version_of(config, *detectors);
    std::vector<std::string>& placeholders = state->placeholders;
    std::shared_ptr<const RuleSet> rules(new RuleSet(std::move(state)));
    for (std::size_t rule = 0; rule < rules->rules_count(); ++rule)
        placeholders.push_back('[' + std::string(rules->name(static_cast<RuleId>(rule))) + ']');
    return rules;
}

std::string_view RuleSet::version() const {
    return state_->version;
}

[[gnu::always_inline]] inline void RuleSet::find(
    std::string_view text, DetectorMask mask, KeyHints hints, std::vector<Match>& matches
) const {
    matches.clear();
    if (mask != 0) detect(text, mask, hints, matches);
    if (!state_->patterns.empty()) find_patterns(text, matches);
    if (matches.size() > 1) join_overlaps(matches);
}

void RuleSet::find(std::string_view text, KeyHints hints, std::vector<Match>& matches) const {
    find(text, state_->detectors, hints, matches);
}

void RuleSet::find_in_id(std::string_view text, std::vector<Match>& matches) const {
    find(text, state_->detectors & id_detectors, {}, matches);
}

void RuleSet::find_patterns(std::string_view text, std::vector<Match>& matches) const {
    for (std::size_t i = 0; i < state_->patterns.size(); ++i) {
        const auto rule = static_cast<RuleId>(rules::first_pattern + i);
        find_pattern(state_->patterns[i], rule, text, matches);
    }
}

KeyRule RuleSet::key_rule(std::string_view key) const {
    if (is_listed(state_->keys_drop, key, true)) return KeyRule::drop;
    if (is_listed(state_->keys_hash, key, true)) return KeyRule::hash;
    if (is_listed(state_->keys_allow, key, false)) return KeyRule::allow;
    return KeyRule::none;
}

bool RuleSet::has_key_rules() const {
    return !state_->keys_drop.empty() || !state_->keys_hash.empty();
}

bool RuleSet::has_patterns() const {
    return !state_->patterns.empty();
}

bool RuleSet::has_finders() const {
    return state_->detectors != 0 || has_patterns();
}

std::size_t RuleSet::rules_count() const {
    return rules::first_pattern + state_->patterns.size();
}

std::string_view RuleSet::name(RuleId rule) const {
    if (rule < detectors_count) return detector_names[rule];
    if (rule < rules::first_pattern) return built_in_rules[rule - detectors_count];
    return state_->patterns[rule - rules::first_pattern].name;
}

std::string_view RuleSet::placeholder(RuleId rule) const {
    return state_->placeholders[rule];
}

MatchAction RuleSet::action(RuleId rule) const {
    if (rule < detectors_count) return state_->actions[rule];
    return rule < rules::first_pattern ? MatchAction::mask
                                       : state_->patterns[rule - rules::first_pattern].action;
}

}  // namespace spangate
