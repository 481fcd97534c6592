// Redacts one OTLP value for the detail class: every string leaf and key, numbers that read like a
// card, and the size limit. Belongs to one lane.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "config/config.h"
#include "digest/hash_key.h"
#include "model/span_view.h"
#include "redact/redacted_keys.h"
#include "redact/text_redactor.h"

namespace spangate {

// What decides how a value is redacted, besides the value.
struct ValueFrame {
    std::string_view tenant_id;
    ContentRole role = ContentRole::other;
    bool is_content = true;
    KeyHints hints;
};

struct RedactedValue {
    Value value;
    bool is_changed = false;    // something was replaced, cut or left out
    bool is_truncated = false;  // cut to its head
};

class ValueRedactor {
  public:
    ValueRedactor(
        const RedactConfig& config, const RuleSet& rules, const HashKey& key, TextRedactor& texts
    );

    // Where results are put from now on.
    void use(Arena& arena) { arena_ = &arena; }

    [[nodiscard]] RedactedValue redact(const Value& value, const ValueFrame& frame);

    // The same for a log record's body: one that is a kvlist stays one, its entries held to the
    // limit each, as attributes are, and their keys put into `cut_keys`. What is longer than
    // `body_share_max` limits even then is cut as a whole.
    [[nodiscard]] RedactedValue redact_body(
        const Value& value, const ValueFrame& frame, std::vector<std::string_view>& cut_keys
    );

    // The same for a text that is no attribute (status message, names).
    [[nodiscard]] RedactedValue redact(std::string_view text, const ValueFrame& frame);

    [[nodiscard]] RedactedKeys& keys() { return keys_; }

    // Gives back scratch that a huge value has left.
    void trim();

  private:
    static constexpr std::size_t body_share_max = 16;

    [[nodiscard]] RedactedValue redact_leaves(const Value& value, KeyHints hints);
    [[nodiscard]] RedactedValue redact_string(std::string_view text, KeyHints hints);
    [[nodiscard]] RedactedValue redact_bytes(const Value& value);
    [[nodiscard]] RedactedValue redact_number(const Value& value, KeyHints hints);
    [[nodiscard]] RedactedValue redact_printed(
        const Value& value, std::string_view printed, KeyHints hints
    );
    [[nodiscard]] RedactedValue redact_array(const Value& value, KeyHints hints);
    [[nodiscard]] RedactedValue redact_kvlist(const Value& value);
    [[nodiscard]] RedactedValue redact_entry(const Attribute& entry, const KeyFindings& facts);
    [[nodiscard]] RedactedValue cut(
        const RedactedValue& redacted, const Value& raw, const ValueFrame& frame
    );
    [[nodiscard]] RedactedValue without_content(const Value& raw, const ValueFrame& frame);
    void append_length_and_digest(const Value& raw, const ValueFrame& frame, std::string& out);

    const RedactConfig& config_;
    const RuleSet& rules_;
    const HashKey& key_;
    TextRedactor& texts_;
    RedactedKeys keys_;
    Arena* arena_ = nullptr;
    bool keeps_content_;
    std::string text_;       // redacted string under way
    std::string form_;       // head + length + digest under way
    std::string canonical_;  // scratch of digests
};

}  // namespace spangate
