#include "app/redaction_hits.h"

#include <algorithm>

namespace spangate {
namespace {

// As the engine looks: the text, JSON in it and JSON in that are parsed, what is inside is text.
constexpr std::size_t json_levels_max = 3;
constexpr std::size_t number_bytes_min = 7;  // shorter numbers are nobody's

bool may_be_json(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos || first + 1 >= text.size()) return false;
    const char c = text[first];
    const char next = text[first + 1];
    return c == '{' || c == '[' || (c == '"' && (next == '{' || next == '['));
}

// Bytes of the escape, or the plain byte, at the start of `inside`; a surrogate pair is one.
std::size_t unit_bytes(std::string_view inside) {
    constexpr std::size_t code_bytes = 6;  // \uXXXX
    if (inside.front() != '\\' || inside.size() < 2) return 1;
    if (inside[1] != 'u') return 2;
    if (inside.size() < code_bytes) return inside.size();
    const bool is_high = (inside[2] == 'd' || inside[2] == 'D') &&
                         std::string_view("89abAB").find(inside[3]) != std::string_view::npos;
    const bool is_pair =
        is_high && inside.substr(code_bytes, 2) == "\\u" && inside.size() >= 2 * code_bytes;
    return is_pair ? 2 * code_bytes : code_bytes;
}

}  // namespace

std::string_view name_of(HitPlace place) {
    constexpr std::string_view names[] = {"text", "key", "string", "number", "value"};
    return names[static_cast<std::size_t>(place)];
}

std::string_view name_of(MatchAction action) {
    switch (action) {
        case MatchAction::mask:
            return "mask";
        case MatchAction::hash:
            return "hash";
        case MatchAction::drop:
            return "drop";
        case MatchAction::keep_last4:
            return "keep_last4";
    }
    return "mask";
}

MatchAction action_of(const RuleSet& rules, RuleId rule) {
    if (rule == rules::key_drop) return MatchAction::drop;
    if (rule == rules::key_hash) return MatchAction::hash;
    return rules.action(rule);
}

HitFinder::HitFinder(const RuleSet& rules, const HashKey& key)
    : rules_(rules),
      engine_(rules, key) {}

std::vector<RedactionHit> HitFinder::find(std::string_view text, KeyHints hints) {
    hits_.clear();
    const Inner whole{text, 0, {}};
    walk(whole, hints, HitPlace::text, 0);
    (void)engine_changes(text, hints);
    add_uncounted(whole, HitPlace::text, 0);
    std::stable_sort(hits_.begin(), hits_.end(), [](const RedactionHit& a, const RedactionHit& b) {
        return a.begin < b.begin;
    });
    return std::move(hits_);
}

HitFinder::Inner HitFinder::Inner::part(std::size_t begin, std::size_t end) const {
    Inner made{text.substr(begin, end - begin), base + begin, {}};
    if (!offsets.empty()) {
        made.offsets.assign(
            offsets.begin() + static_cast<std::ptrdiff_t>(begin),
            offsets.begin() + static_cast<std::ptrdiff_t>(end) + 1
        );
    }
    return made;
}

bool HitFinder::engine_changes(std::string_view text, KeyHints hints) {
    std::fill(engine_.counts().begin(), engine_.counts().end(), 0U);
    return engine_.redact(text, hints, redacted_);
}

void HitFinder::add(RuleId rule, HitPlace place, std::size_t begin, std::size_t end) {
    hits_.push_back({rule, place, true, begin, end, {}});
}

// Hits that the engine has just counted in `inner`, and that no walk has found since `first_hit`.
void HitFinder::add_uncounted(const Inner& inner, HitPlace place, std::size_t first_hit) {
    const std::span<const std::uint32_t> counts = engine_.counts();
    std::vector<std::uint32_t> found(counts.size(), 0);
    for (std::size_t i = first_hit; i < hits_.size(); ++i)
        ++found[hits_[i].rule];
    for (std::size_t rule = 0; rule < counts.size(); ++rule) {
        for (std::uint32_t i = found[rule]; i < counts[rule]; ++i) {
            hits_.push_back(
                {static_cast<RuleId>(rule),
                 place,
                 false,
                 inner.at(0),
                 inner.at(inner.text.size()),
                 {}}
            );
        }
    }
}

void HitFinder::walk(const Inner& inner, KeyHints hints, HitPlace place, std::size_t level) {
    const bool is_json = !hints.password && may_be_json(inner.text);
    if (is_json && level < json_levels_max) {
        if (engine_changes(inner.text, hints)) walk_json(inner, hints, level);
        return;
    }
    walk_leaf(inner, hints, place, !is_json);
}

void HitFinder::walk_leaf(const Inner& inner, KeyHints hints, HitPlace place, bool asks_engine) {
    const std::size_t first_hit = hits_.size();
    rules_.find(inner.text, hints, matches_);
    for (const Match& match : matches_) {
        add(match.rule, place, inner.at(match.begin), inner.at(match.end));
        const Match whole{0, match.end - match.begin, match.rule};
        engine_.replace_matches(
            inner.text.substr(match.begin, whole.end), {&whole, 1}, hits_.back().becomes
        );
    }
    if (!asks_engine) return;
    (void)engine_changes(inner.text, hints);
    add_uncounted(inner, place, first_hit);
}

void HitFinder::walk_json(const Inner& inner, KeyHints hints, std::size_t level) {
    JsonTokens tokens;
    tokens.start(inner.text);
    JsonToken number{};
    bool is_after_number = false;
    while (true) {
        const JsonToken token = tokens.next();
        switch (token.kind) {
            case JsonTokenKind::key: {
                const KeyRule rule = walk_key(inner, token, hints);
                if (rule == KeyRule::none) break;
                if (!take_ruled_value(inner, tokens, rule)) return;
                break;
            }
            case JsonTokenKind::string:
                walk_string(inner, token, hints, level);
                break;
            case JsonTokenKind::number:
                if (token.end - token.begin < number_bytes_min) break;
                walk_leaf(inner.part(token.begin, token.end), hints, HitPlace::number, true);
                break;
            case JsonTokenKind::end:
            case JsonTokenKind::cut:
                return;
            case JsonTokenKind::wrong: {
                const std::size_t from = is_after_number ? number.begin : token.begin;
                walk_leaf(inner.part(from, inner.text.size()), {}, HitPlace::text, false);
                return;
            }
            default:
                break;
        }
        is_after_number = token.kind == JsonTokenKind::number;
        if (is_after_number) number = token;
    }
}

void HitFinder::walk_string(
    const Inner& inner, const JsonToken& token, KeyHints hints, std::size_t level
) {
    Inner part = inner.part(token.begin, token.end);
    if (!token.has_escape) {
        walk(part, hints, HitPlace::string, level + 1);
        return;
    }
    std::string unescaped;
    std::vector<std::uint32_t> offsets;
    for (std::size_t i = 0; i < part.text.size();) {
        const std::size_t bytes = unit_bytes(part.text.substr(i));
        append_json_unescaped(part.text.substr(i, bytes), unescaped);
        offsets.resize(unescaped.size(), static_cast<std::uint32_t>(part.at(i)));
        i += bytes;
    }
    offsets.push_back(static_cast<std::uint32_t>(part.at(part.text.size())));
    part.text = unescaped;
    part.offsets = std::move(offsets);
    walk(part, hints, HitPlace::string, level + 1);
}

// The hits of the key itself; `hints` become those for its value.
KeyRule HitFinder::walk_key(const Inner& inner, const JsonToken& token, KeyHints& hints) {
    const Inner raw = inner.part(token.begin, token.end);
    std::string key(raw.text);
    if (token.has_escape) {
        key.clear();
        append_json_unescaped(raw.text, key);
    }
    hints = hints_of(key);
    rules_.find(key, {}, matches_);
    for (const Match& match : matches_) {
        // An escaped key is told whole: its bytes are not those of the match.
        const std::size_t begin = token.has_escape ? 0 : match.begin;
        const std::size_t end = token.has_escape ? raw.text.size() : match.end;
        add(match.rule, HitPlace::key, raw.at(begin), raw.at(end));
        hits_.back().is_exact = !token.has_escape;
    }
    if (!rules_.has_key_rules()) return KeyRule::none;
    const KeyRule rule = rules_.key_rule(key);
    return rule == KeyRule::allow ? KeyRule::none : rule;
}

// The value after a key of keys.drop or keys.hash, whole. False when the text ends there.
bool HitFinder::take_ruled_value(const Inner& inner, JsonTokens& tokens, KeyRule rule) {
    const RuleId id = rule == KeyRule::drop ? rules::key_drop : rules::key_hash;
    const std::size_t depth = tokens.depth();
    JsonToken token = tokens.next();
    const std::size_t begin = token.begin;
    if (token.kind >= JsonTokenKind::end || token.kind == JsonTokenKind::object_end) {
        if (token.kind == JsonTokenKind::wrong) {
            add(id, HitPlace::value, inner.at(begin), inner.at(inner.text.size()));
        }
        return token.kind == JsonTokenKind::object_end;
    }
    while (tokens.depth() > depth && token.kind < JsonTokenKind::end)
        token = tokens.next();
    const bool is_whole = token.kind < JsonTokenKind::end;
    add(id, HitPlace::value, inner.at(begin), inner.at(is_whole ? token.end : inner.text.size()));
    return is_whole;
}

}  // namespace spangate
