#include "redact/value_redactor.h"

#include <array>
#include <charconv>
#include <cmath>

#include "digest/canonical_json.h"
#include "redact/value_json.h"

namespace spangate {
namespace {

constexpr std::size_t scratch_bytes_kept_max = 1U << 20;

// Numbers below have too few digits for any detector.
constexpr std::int64_t number_min = 1'000'000;
constexpr double whole_real_max = 9e18;

RedactedValue unchanged(const Value& value) {
    return {value, false, false};
}

bool is_short_number(std::int64_t number) {
    return number > -number_min && number < number_min;
}

}  // namespace

ValueRedactor::ValueRedactor(
    const RedactConfig& config, const RuleSet& rules, const HashKey& key, TextRedactor& texts
)
    : config_(config),
      rules_(rules),
      key_(key),
      texts_(texts),
      keys_(rules),
      keeps_content_(config.content_in_detail != "none") {}

RedactedValue ValueRedactor::redact(std::string_view text, const ValueFrame& frame) {
    return redact(Value::of(text), frame);
}

RedactedValue ValueRedactor::redact(const Value& value, const ValueFrame& frame) {
    if (value.kind == ValueKind::empty) return unchanged(value);
    if (frame.is_content && !keeps_content_) return without_content(value, frame);
    const RedactedValue redacted = redact_leaves(value, frame.hints);
    if (value_bytes(redacted.value) <= config_.content_bytes_max) return redacted;
    return cut(redacted, value, frame);
}

RedactedValue ValueRedactor::redact_body(
    const Value& value, const ValueFrame& frame, std::vector<std::string_view>& cut_keys
) {
    cut_keys.clear();
    if (value.kind != ValueKind::kvlist || !keeps_content_) return redact(value, frame);
    const RedactedValue redacted = redact_leaves(value, frame.hints);
    if (value_bytes(redacted.value) <= config_.content_bytes_max) return redacted;
    const std::span<const Attribute> raw_entries = value.kvlist();
    const std::span<Attribute> entries =
        arena_->copy_array(std::span<const Attribute>(redacted.value.kvlist()));
    for (std::size_t i = 0; i < entries.size(); ++i) {
        Value& entry = entries[i].value;
        if (value_bytes(entry) <= config_.content_bytes_max) continue;
        entry = cut({entry, false, false}, raw_entries[i].value, frame).value;
        cut_keys.push_back(entries[i].key);
    }
    const Value body = Value::of(entries);
    if (value_bytes(body) <= body_share_max * config_.content_bytes_max) {
        return {body, redacted.is_changed || !cut_keys.empty(), !cut_keys.empty()};
    }
    cut_keys.clear();
    return cut(redacted, value, frame);
}

RedactedValue ValueRedactor::redact_leaves(const Value& value, KeyHints hints) {
    switch (value.kind) {
        case ValueKind::empty:
            return unchanged(value);
        case ValueKind::boolean:
            return rules_.has_patterns()
                       ? redact_printed(value, value.boolean ? "true" : "false", {})
                       : unchanged(value);
        case ValueKind::integer:
        case ValueKind::real:
            return redact_number(value, hints);
        case ValueKind::string:
            return redact_string(value.text(), hints);
        case ValueKind::bytes:
            return redact_bytes(value);
        case ValueKind::array:
            return redact_array(value, hints);
        case ValueKind::kvlist:
            return redact_kvlist(value);
    }
    return unchanged(value);
}

RedactedValue ValueRedactor::redact_string(std::string_view text, KeyHints hints) {
    if (!texts_.redact(text, hints, text_)) return unchanged(Value::of(text));
    return {Value::of(arena_->copy(text_)), true, false};
}

// Detail shows bytes in base64, where no mask fits: a hit replaces them whole.
RedactedValue ValueRedactor::redact_bytes(const Value& value) {
    if (!texts_.redact_plain(value.text(), {}, text_)) return unchanged(value);
    texts_.count(rules::bytes);
    return {Value::of(std::string_view("[bytes]")), true, false};
}

// Matched in printed form. A detector finds nothing in a short number or in a fraction; a pattern
// of the user may.
RedactedValue ValueRedactor::redact_number(const Value& value, KeyHints hints) {
    std::array<char, 32> digits{};
    const bool is_whole =
        value.kind == ValueKind::integer ||
        (std::abs(value.real) < whole_real_max && std::trunc(value.real) == value.real);
    std::to_chars_result written{};
    if (is_whole) {
        const std::int64_t number = value.kind == ValueKind::integer
                                        ? value.integer
                                        : static_cast<std::int64_t>(value.real);
        if (is_short_number(number) && !rules_.has_patterns()) return unchanged(value);
        written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    } else {
        if (!rules_.has_patterns()) return unchanged(value);
        written = std::to_chars(digits.data(), digits.data() + digits.size(), value.real);
    }
    const auto size = static_cast<std::size_t>(written.ptr - digits.data());
    return redact_printed(value, {digits.data(), size}, hints);
}

RedactedValue ValueRedactor::redact_printed(
    const Value& value, std::string_view printed, KeyHints hints
) {
    if (!texts_.redact_plain(printed, hints, text_)) return unchanged(value);
    return {Value::of(arena_->copy(text_)), true, false};
}

RedactedValue ValueRedactor::redact_array(const Value& value, KeyHints hints) {
    const std::span<const Value> items = value.array();
    std::span<Value> copies;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const RedactedValue redacted = redact_leaves(items[i], hints);
        if (!redacted.is_changed) continue;
        if (copies.empty()) copies = arena_->copy_array(items);
        copies[i] = redacted.value;
    }
    if (copies.empty()) return unchanged(value);
    return {Value::of(std::span<const Value>(copies)), true, false};
}

RedactedValue ValueRedactor::redact_kvlist(const Value& value) {
    const std::span<Attribute> entries = value.kvlist();
    std::span<Attribute> copies;
    for (std::size_t i = 0; i < entries.size(); ++i) {
        // By value: entries inside this one may grow or empty the cache.
        const KeyFindings facts = keys_.facts(entries[i].key, texts_);
        const RedactedValue redacted = redact_entry(entries[i], facts);
        if (!redacted.is_changed && facts.redacted.empty()) continue;
        if (copies.empty()) copies = arena_->copy_array(std::span<const Attribute>(entries));
        copies[i].value = redacted.value;
        for (const RuleId rule : facts.hits)
            texts_.count(rule);
        if (!facts.redacted.empty()) copies[i].key = arena_->copy(facts.redacted);
    }
    if (copies.empty()) return unchanged(value);
    return {Value::of(copies), true, false};
}

RedactedValue ValueRedactor::redact_entry(const Attribute& entry, const KeyFindings& facts) {
    if (facts.rule == KeyRule::drop) {
        texts_.count(rules::key_drop);
        return {Value::of(dropped_text), true, false};
    }
    if (facts.rule == KeyRule::hash) {
        texts_.count(rules::key_hash);
        const std::span<char> token = arena_->make_array<char>(HashKey::token_size);
        key_.write_token(value_text(entry.value, canonical_), token.data());
        return {Value::of(std::string_view(token.data(), token.size())), true, false};
    }
    return redact_leaves(entry.value, facts.hints);
}

RedactedValue ValueRedactor::cut(
    const RedactedValue& redacted, const Value& raw, const ValueFrame& frame
) {
    form_.clear();
    if (redacted.value.kind != ValueKind::bytes) {
        const std::string_view whole = value_text(redacted.value, text_);
        form_ += redacted_prefix(whole, config_.content_bytes_max);
    }
    form_ += "…[truncated, ";
    append_length_and_digest(raw, frame, form_);
    form_ += ']';
    return {Value::of(arena_->copy(form_)), true, true};
}

RedactedValue ValueRedactor::without_content(const Value& raw, const ValueFrame& frame) {
    form_ = "[content, ";
    append_length_and_digest(raw, frame, form_);
    form_ += ']';
    return {Value::of(arena_->copy(form_)), true, false};
}

void ValueRedactor::append_length_and_digest(
    const Value& raw, const ValueFrame& frame, std::string& out
) {
    std::array<char, HashKey::digest_size> digest{};
    key_.write_digest(
        frame.tenant_id, name_of(frame.role), canonical_json(raw, canonical_), digest.data()
    );
    std::array<char, 24> number{};
    const std::size_t bytes =
        raw.kind == ValueKind::bytes ? std::size_t{raw.size} : value_bytes(raw);
    const auto written = std::to_chars(number.data(), number.data() + number.size(), bytes);
    out.append(number.data(), written.ptr);
    out += " bytes, digest ";
    out.append(digest.data(), digest.size());
}

void ValueRedactor::trim() {
    for (std::string* scratch : {&text_, &form_, &canonical_}) {
        if (scratch->capacity() > scratch_bytes_kept_max) *scratch = std::string();
    }
}

}  // namespace spangate
