// Redacts one string: by structure when it is JSON (also JSON inside its strings), else as text.
// JSON stays JSON: keys stay, a number with a hit becomes a string, everything without a hit is
// copied byte for byte. Belongs to one lane; keeps its scratch between calls.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "digest/hash_key.h"
#include "redact/clean_texts.h"
#include "redact/json_tokens.h"
#include "redact/rule_set.h"

namespace spangate {

inline constexpr std::string_view dropped_text = "[dropped]";

class TextRedactor {
  public:
    TextRedactor(const RuleSet& rules, const HashKey& key);

    // True when something was replaced: `out` is then the redacted text. Else `out` is empty or
    // scratch, and `text` may stand as it is. `out` must not be a string that `text` points into.
    [[nodiscard]] bool redact(std::string_view text, KeyHints hints, std::string& out);

    // The same, never looking for JSON (for numbers, names and keys).
    [[nodiscard]] bool redact_plain(std::string_view text, KeyHints hints, std::string& out);

    // Appends `text` with `matches` (sorted, disjoint) replaced; counts nothing.
    void replace_matches(std::string_view text, std::span<const Match> matches, std::string& out)
        const;

    // As RuleSet::find() and find_in_id(), but a text that this batch has shown before with nothing
    // in it is not looked at again.
    void find(std::string_view text, KeyHints hints, std::vector<Match>& matches) {
        matches.clear();
        if (has_finders_) look_at(text, hints, matches);
    }

    void find_in_id(std::string_view text, std::vector<Match>& matches);

    // Between two batches.
    void forget_texts() { clean_.forget(); }

    // Hits by rule since reset_counts(); the callers add what they replace themselves.
    void count(RuleId rule, std::uint32_t count = 1) { counts_[rule] += count; }

    [[nodiscard]] std::span<std::uint32_t> counts() { return counts_; }

    // Gives back scratch that a huge value has left.
    void trim();

  private:
    static constexpr std::size_t levels_max = 4;  // text, JSON in it, JSON in that, text in that

    struct Level {
        std::string key;
        std::string unescaped;
        std::string out;
        std::vector<Match> matches;
        JsonTokens tokens;
    };

    // One walk over a JSON text; what lies before `copied` is in `out`.
    struct Walk {
        std::string_view text;
        std::size_t level = 0;
        std::string& out;
        std::size_t copied = 0;
        KeyHints hints;
        bool is_changed = false;
    };

    void look_at(std::string_view text, KeyHints hints, std::vector<Match>& matches);
    bool redact_at(std::string_view text, KeyHints hints, std::size_t level, std::string& out);
    // For JSON without a backslash: what the detectors found in its raw text is replaced where it
    // stands. False, with nothing counted, when a match is no part of one string, nor one number.
    bool replace_in_place(std::string_view text, std::span<const Match> matches, std::string& out);
    bool redact_json(std::string_view text, KeyHints hints, std::size_t level, std::string& out);
    void append_plain(std::string_view text, Level& scratch, Walk& walk);
    void take_key(Walk& walk, const JsonToken& token);
    void take_string(Walk& walk, const JsonToken& token);
    void take_number(Walk& walk, const JsonToken& token);
    void take_ruled_value(Walk& walk, KeyRule rule);
    void replace(Walk& walk, std::size_t begin, std::size_t end, std::string_view text);
    void append_replaced(std::string_view text, std::span<const Match> matches, std::string& out);
    void append_replacement(RuleId rule, std::string_view match, std::string& out) const;
    void append_hash(RuleId rule, std::string_view match, std::string& out) const;

    const RuleSet& rules_;
    const HashKey& key_;
    std::array<Level, levels_max> levels_;
    CleanTexts clean_;
    bool has_finders_;
    std::vector<std::uint32_t> counts_;
};

// The longest prefix of redacted `text` of at most `bytes_max` bytes that ends neither inside a
// UTF-8 sequence nor inside what stands for a match.
[[nodiscard]] std::string_view redacted_prefix(std::string_view text, std::size_t bytes_max);

}  // namespace spangate
