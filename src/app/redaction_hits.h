// Where the redaction rules hit in a text: what `spangate redact --explain` shows and `spangate
// check --redact-samples` judges. The engine (redact/text_redactor.h) decides whether anything is
// replaced and how often; this walks the same text for the places, and what the engine counted
// beyond them (a hit inside a coded value, for one) is told as standing somewhere in its value.
// One thread; keeps its scratch between calls. For people, not for the hot path.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "digest/hash_key.h"
#include "redact/json_tokens.h"
#include "redact/rule_set.h"
#include "redact/text_redactor.h"

namespace spangate {

// What was hit: plain text, or which part of JSON.
enum class HitPlace : std::uint8_t { text, key, string, number, value };

[[nodiscard]] std::string_view name_of(HitPlace place);
[[nodiscard]] std::string_view name_of(MatchAction action);

// Bytes of the text as it was given, escapes and all.
struct RedactionHit {
    RuleId rule = 0;
    HitPlace place = HitPlace::text;
    bool is_exact = true;  // else somewhere between `begin` and `end`
    std::size_t begin = 0;
    std::size_t end = 0;
    std::string becomes;  // what stands in its place; empty when that is not known by itself
};

// What the rule does; key rules are told as what they mean.
[[nodiscard]] MatchAction action_of(const RuleSet& rules, RuleId rule);

class HitFinder {
  public:
    // Both outlive the finder.
    HitFinder(const RuleSet& rules, const HashKey& key);

    // Sorted by place. `hints` as of the attribute that holds the text.
    [[nodiscard]] std::vector<RedactionHit> find(std::string_view text, KeyHints hints = {});

  private:
    // A text inside the document: `offsets[i]` is where its byte `i` stands there, or, when empty,
    // `base + i`.
    struct Inner {
        std::string_view text;
        std::size_t base = 0;
        std::vector<std::uint32_t> offsets;

        [[nodiscard]] std::size_t at(std::size_t i) const {
            return offsets.empty() ? base + i : offsets[i];
        }

        [[nodiscard]] Inner part(std::size_t begin, std::size_t end) const;
    };

    void walk(const Inner& inner, KeyHints hints, HitPlace place, std::size_t level);
    void walk_leaf(const Inner& inner, KeyHints hints, HitPlace place, bool asks_engine);
    void walk_json(const Inner& inner, KeyHints hints, std::size_t level);
    void walk_string(const Inner& inner, const JsonToken& token, KeyHints hints, std::size_t level);
    [[nodiscard]] KeyRule walk_key(const Inner& inner, const JsonToken& token, KeyHints& hints);
    [[nodiscard]] bool take_ruled_value(const Inner& inner, JsonTokens& tokens, KeyRule rule);
    void add_uncounted(const Inner& inner, HitPlace place, std::size_t first_hit);
    void add(RuleId rule, HitPlace place, std::size_t begin, std::size_t end);
    [[nodiscard]] bool engine_changes(std::string_view text, KeyHints hints);

    const RuleSet& rules_;
    TextRedactor engine_;
    std::string redacted_;
    std::vector<Match> matches_;
    std::vector<RedactionHit> hits_;
};

}  // namespace spangate
