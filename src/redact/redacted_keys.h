// What a lane has found out about attribute keys: clients repeat a few hundred keys for ever, so
// the rules look at each once. Bounded; a full cache starts over.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>

#include "redact/rule_set.h"
#include "redact/text_redactor.h"

namespace spangate {

struct KeyFindings {
    KeyHints hints;
    KeyRule rule = KeyRule::none;
    std::string redacted;      // the key with its hits replaced; empty: it has none
    std::vector<RuleId> hits;  // one entry a hit, for the counts
};

class RedactedKeys {
  public:
    static constexpr std::size_t keys_max = 4096;
    static constexpr std::size_t key_bytes_max = 256;  // longer keys are looked at every time

    explicit RedactedKeys(const RuleSet& rules) : rules_(rules) {}

    // Valid until the next call.
    [[nodiscard]] const KeyFindings& facts(std::string_view key, TextRedactor& texts);

  private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const;
    };

    [[nodiscard]] KeyFindings find_out(std::string_view key, TextRedactor& texts);

    const RuleSet& rules_;
    std::unordered_map<std::string, KeyFindings, Hash, std::equal_to<>> known_;
    KeyFindings long_key_;
    std::string scratch_;
    std::vector<Match> matches_;
};

}  // namespace spangate
