#include "redact/redacted_keys.h"

#include <xxhash.h>

namespace spangate {

std::size_t RedactedKeys::Hash::operator()(std::string_view text) const {
    return XXH3_64bits(text.data(), text.size());
}

const KeyFindings& RedactedKeys::facts(std::string_view key, TextRedactor& texts) {
    if (key.size() > key_bytes_max) {
        long_key_ = find_out(key, texts);
        return long_key_;
    }
    const auto at = known_.find(key);
    if (at != known_.end()) return at->second;
    if (known_.size() >= keys_max) known_.clear();
    return known_.emplace(std::string(key), find_out(key, texts)).first->second;
}

KeyFindings RedactedKeys::find_out(std::string_view key, TextRedactor& texts) {
    KeyFindings facts;
    facts.hints = hints_of(key);
    facts.rule = rules_.key_rule(key);
    rules_.find(key, {}, matches_);
    if (matches_.empty()) return facts;
    for (const Match& match : matches_)
        facts.hits.push_back(match.rule);
    texts.replace_matches(key, matches_, facts.redacted);
    return facts;
}

}  // namespace spangate
