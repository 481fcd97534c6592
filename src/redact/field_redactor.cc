#include "redact/field_redactor.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "redact/forms.h"
#include "redact/scan.h"

namespace spangate {
namespace {

// Counters hold no card numbers; a client's integer can.
bool reads_like_card(std::int64_t integer) {
    constexpr std::int64_t card_min = 1'000'000'000'000;
    if (integer < card_min) return false;
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), integer);
    return is_card_number({digits.data(), static_cast<std::size_t>(written.ptr - digits.data())});
}

// `trace:`, `h:` and `log:` with hex behind them: no client's id has such a form (contract §3).
bool is_gateway_made(std::string_view session_id) {
    constexpr std::size_t hex_min = 32;
    for (const std::string_view prefix : {"trace:", "h:", "log:"}) {
        if (!session_id.starts_with(prefix)) continue;
        const std::string_view rest = session_id.substr(prefix.size());
        return rest.size() >= hex_min && std::all_of(rest.begin(), rest.end(), is_hex);
    }
    return false;
}

}  // namespace

void FieldRedactor::redact(const FieldSet& fields, FieldSetBuilder& released_fields) {
    released_fields.clear();
    for (const FieldValue& value : fields.values()) {
        const FieldInfo& field = info(value.id);
        const bool is_checked = field.form == FieldForm::id || field.form == FieldForm::name;
        if (field.type == FieldType::text && is_checked) {
            released_fields.put(FieldValue::of_text(value.id, released(value.text(), field)));
        } else if (field.type == FieldType::texts && is_checked) {
            released_fields.put(released_texts(value, field));
        } else if (field.type == FieldType::integer && reads_like_card(value.integer)) {
            texts_.count(rules::form);
        } else {
            released_fields.put(value);
        }
    }
}

std::string_view FieldRedactor::released(std::string_view text, const FieldInfo& field) {
    if (text.empty()) return text;
    if (field.id == FieldId::alias_session_id) return released_session_id(text);
    if (field.form == FieldForm::id) return released_id(text);
    KeyHints hints;
    hints.version = field.id == FieldId::agent_version;
    return released_name(text, hints);
}

FieldValue FieldRedactor::released_texts(const FieldValue& value, const FieldInfo& field) {
    const std::span<std::string_view> texts = arena_->copy_array(value.texts());
    for (std::string_view& text : texts)
        text = released(text, field);
    return FieldValue::of_texts(value.id, texts);
}

std::string_view FieldRedactor::released_session_id(std::string_view id) {
    return is_gateway_made(id) ? id : released_id(id);
}

std::string_view FieldRedactor::released_id(std::string_view id) {
    if (is_id(id)) {
        texts_.find_in_id(id, matches_);
        if (matches_.empty()) return id;
    }
    return token(id);
}

std::string_view FieldRedactor::released_name(std::string_view name, KeyHints hints) {
    if (is_name(name)) {
        texts_.find(name, hints, matches_);
        if (matches_.empty()) return name;
    }
    return token(name);
}

std::string_view FieldRedactor::token(std::string_view text) {
    texts_.count(rules::form);
    const std::span<char> token = arena_->make_array<char>(HashKey::token_size);
    key_.write_token(text, token.data());
    return {token.data(), token.size()};
}

}  // namespace spangate
