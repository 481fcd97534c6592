// The compiled redaction rules: detectors that are on, the user's patterns (RE2) and key rules.
// Immutable and thread-safe; lanes share one by shared_ptr and may change to a newer one between
// two batches.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "redact/detector.h"

namespace spangate {

// Rules beside the detectors and the user's patterns.
namespace rules {
inline constexpr RuleId key_drop = detectors_count;      // the key is in keys.drop
inline constexpr RuleId key_hash = detectors_count + 1;  // the key is in keys.hash
inline constexpr RuleId identity = detectors_count + 2;  // a person's id became a user_ref
inline constexpr RuleId form = detectors_count + 3;      // an operational value became a token
inline constexpr RuleId bytes = detectors_count + 4;     // a byte string with a hit in it
inline constexpr RuleId first_pattern = detectors_count + 5;
}  // namespace rules

// What stands in the place of a match.
enum class MatchAction : std::uint8_t {
    mask,        // `[rule]`
    hash,        // `<rule:key id:32 hex of the keyed hash>`
    drop,        // nothing
    keep_last4,  // `****` + the last four bytes, for matches of eight bytes and more
};

enum class KeyRule : std::uint8_t { none, drop, hash, allow };

class RuleSet {
  public:
    // Fails on an unknown detector, action or content_in_detail, and on a pattern that RE2 refuses,
    // that matches nothing (the empty text) or has a bad or taken name; the message names it.
    // A detector may stand with its action, `email:hash`; alone it masks. `all` comes first.
    [[nodiscard]] static Result<std::shared_ptr<const RuleSet>> compile(const RedactConfig& config);
    ~RuleSet();
    RuleSet(const RuleSet&) = delete;
    RuleSet& operator=(const RuleSet&) = delete;

    // 12 hex of the hash of all that decides what these rules do (not of the hash key).
    [[nodiscard]] std::string_view version() const;

    // Fills `matches` with what must be replaced in `text`: sorted, not overlapping (overlapping
    // ones are joined). Two tellings of one text have the same matches.
    void find(std::string_view text, KeyHints hints, std::vector<Match>& matches) const;

    // The same with the detectors that run on ids only.
    void find_in_id(std::string_view text, std::vector<Match>& matches) const;

    // keys.drop and keys.hash match a whole key or its last parts (`authorization` matches
    // `http.request.header.authorization`), keys.allow the whole key only; ASCII case is ignored.
    [[nodiscard]] KeyRule key_rule(std::string_view key) const;

    [[nodiscard]] bool has_key_rules() const;
    [[nodiscard]] bool has_patterns() const;
    // Whether find() may find anything.
    [[nodiscard]] bool has_finders() const;
    [[nodiscard]] std::size_t rules_count() const;
    [[nodiscard]] std::string_view name(RuleId rule) const;
    // The name in brackets, what a mask writes.
    [[nodiscard]] std::string_view placeholder(RuleId rule) const;
    [[nodiscard]] MatchAction action(RuleId rule) const;

  private:
    struct State;
    explicit RuleSet(std::unique_ptr<State> state);
    void find(std::string_view text, DetectorMask mask, KeyHints hints, std::vector<Match>& matches)
        const;
    void find_patterns(std::string_view text, std::vector<Match>& matches) const;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
