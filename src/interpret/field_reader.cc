#include "interpret/field_reader.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>

#include <re2/re2.h>

#include "base/text.h"
#include "interpret/loose_value.h"

namespace spangate {
namespace {

using Source = FieldEntry::Source;

constexpr std::int64_t http_status_min = 100;
constexpr std::int64_t http_status_max = 599;
constexpr std::size_t mapped_bytes_max = 128;  // longer raw values are in no map
constexpr int groups_max = 10;

// A short text in lower case, on the stack; empty when it is too long to be in any map.
class LowerText {
  public:
    LowerText(std::string_view text, bool folds_separators) {
        if (text.size() > mapped_bytes_max) return;
        for (const char c : text) {
            const bool is_separator = folds_separators && (c == '-' || c == ' ');
            text_[size_++] = is_separator ? '_' : ascii_lower(c);
        }
    }

    [[nodiscard]] std::string_view view() const { return {text_.data(), size_}; }

  private:
    std::array<char, mapped_bytes_max> text_{};
    std::size_t size_ = 0;
};

bool is_in_range(FieldId id, std::int64_t number) {
    if (id == FieldId::http_status) return number >= http_status_min && number <= http_status_max;
    return number >= 0 && number <= counter_max;
}

// Durations and money are never negative; scores and budgets may be.
bool is_in_range(FieldId id, double number) {
    if (!std::isfinite(number)) return false;
    const bool is_measure =
        id == FieldId::duration_ms || id == FieldId::ttft_ms || id == FieldId::cost_usd;
    return !is_measure || number >= 0;
}

// A log record of that name tells what the span event tells; its body holds the attributes.
const Attribute* attribute_of_record(
    const FieldSource& source, std::string_view event_name, std::string_view key
) {
    const Value& body = source.span.log->body.value;
    if (source.record_name != event_name || body.kind != ValueKind::kvlist) return nullptr;
    for (const Attribute& attribute : body.kvlist()) {
        if (attribute.key == key && attribute.value.kind != ValueKind::empty) return &attribute;
    }
    return nullptr;
}

const Attribute* attribute_of_event(
    const FieldSource& source, std::string_view event_name, std::string_view key
) {
    const SpanView& span = source.span;
    if (span.is_log()) return attribute_of_record(source, event_name, key);
    for (const SpanEventView& event : span.events) {
        if (event.name != event_name) continue;
        for (const Attribute& attribute : event.attributes) {
            if (attribute.key == key && attribute.value.kind != ValueKind::empty) return &attribute;
        }
    }
    return nullptr;
}

}  // namespace

void FieldReader::begin(Arena& arena) {
    references_ = nullptr;
    arena_ = &arena;
    json_.forget();
}

std::optional<Value> FieldReader::raw_value(const FieldEntry& entry, const FieldSource& source) {
    if (source.attributes_only && entry.source != Source::attribute &&
        entry.source != Source::pattern) {
        return std::nullopt;
    }
    const Value* found = nullptr;
    switch (entry.source) {
        case Source::attribute:
            found = source.attributes.find(entry.key);
            break;
        case Source::resource:
            found = source.resource.find(entry.key);
            break;
        case Source::pattern:
            for (const PatternPlace& place : source.attributes.patterns()) {
                if (found == nullptr && place.pattern == entry.pattern) {
                    found = &source.attributes.attributes()[place.attribute].value;
                }
            }
            break;
        case Source::span_event: {
            const Attribute* attribute =
                attribute_of_event(source, entry.span_event, table_.keys[entry.key]);
            if (attribute != nullptr) found = &attribute->value;
            break;
        }
        case Source::span_name:
            return Value::of(source.span.name);
        case Source::name_regex:
            return captured(source.span.name, entry);
        case Source::span_status_message:
            return Value::of(source.span.status_message);
        case Source::span_kind:
            return Value::of(span_kind_names[static_cast<std::size_t>(source.span.kind)]);
        case Source::span_status:
            if (source.span.is_log()) return std::nullopt;
            return Value::of(status_code_names[static_cast<std::size_t>(source.span.status_code)]);
    }
    return found == nullptr ? std::nullopt : std::optional(*found);
}

std::optional<Value> FieldReader::captured(std::string_view text, const FieldEntry& entry) {
    std::array<re2::StringPiece, groups_max> groups;
    const re2::RE2& regex = *table_.regexes[entry.regex];
    const int wanted = std::min(entry.group + 1, groups_max);
    const re2::StringPiece subject(text.data(), text.size());
    if (!regex.Match(subject, 0, text.size(), re2::RE2::UNANCHORED, groups.data(), wanted)) {
        return std::nullopt;
    }
    const re2::StringPiece& group = groups[static_cast<std::size_t>(wanted - 1)];
    if (group.data() == nullptr) return std::nullopt;
    return Value::of(std::string_view(group.data(), group.size()));
}

// In the order of the table's language: json, index, regex, add, scale. The map is the field's
// affair.
std::optional<Value> FieldReader::value(const FieldEntry& entry, const FieldSource& source) {
    std::optional<Value> value = raw_value(entry, source);
    if (!value || value->kind == ValueKind::empty) return std::nullopt;
    if (value->is_text() && value->size == 0) return std::nullopt;
    if (entry.when != no_index) {
        const ConditionScope scope{table_, source.span, source.attributes, source.resource, {}};
        if (!holds(scope, entry.when)) return std::nullopt;
    }
    if (!entry.pointer.empty()) {
        value = json_.find(*value, entry.pointer, *arena_);
        if (!value) return std::nullopt;
    }
    if (entry.item_index != no_index) {
        value = json_.array(*value, *arena_);
        if (!value || value->size <= entry.item_index) return std::nullopt;
        value = value->array()[entry.item_index];
    }
    if (entry.regex != no_index && entry.source != Source::name_regex) {
        value = captured(text_of(*value, *arena_), entry);
        if (!value) return std::nullopt;
    }
    if (entry.add != 0 || entry.scale != 1) {
        const std::optional<double> number = number_of(*value);
        if (!number) return std::nullopt;
        value = Value::of((*number + entry.add) * entry.scale);
    }
    if (keeps_raw_) raw_ = *value;
    return value;
}

// All values of an indexed key, as one array.
std::optional<Value> FieldReader::list(const FieldEntry& entry, const FieldSource& source) {
    if (entry.source != Source::pattern) return value(entry, source);
    const std::span<const PatternPlace> places = source.attributes.patterns();
    const auto count = static_cast<std::size_t>(std::count_if(
        places.begin(),
        places.end(),
        [&](const PatternPlace& place) { return place.pattern == entry.pattern; }
    ));
    if (count == 0) return std::nullopt;
    const std::span<Value> values =
        arena_->make_array<Value>(std::min(count, JsonLookup::elements_max));
    std::size_t filled = 0;
    for (const PatternPlace& place : places) {
        if (place.pattern != entry.pattern || filled == values.size()) continue;
        values[filled++] = source.attributes.attributes()[place.attribute].value;
    }
    return Value::of(std::span<const Value>(values));
}

std::string_view FieldReader::mapped(std::uint32_t map, std::string_view raw) const {
    const ValueMap& values = table_.maps[map];
    LowerText lower(raw, values.folds_separators);
    const auto found = values.values.find(lower.view());
    return found == values.values.end() ? std::string_view() : std::string_view(found->second);
}

// Empty: as if it was not sent.
std::string_view FieldReader::in_words_of(
    TargetId target, const FieldEntry& entry, std::string_view raw
) const {
    if (entry.map != no_index) {
        const std::string_view canonical = mapped(entry.map, raw);
        if (!canonical.empty()) return canonical;
    }
    if (!table_.vocabularies[target]) return raw;
    const Vocabulary& vocabulary = *table_.vocabularies[target];
    if (vocabulary.map != no_index && vocabulary.map != entry.map) {
        const std::string_view canonical = mapped(vocabulary.map, raw);
        if (!canonical.empty()) return canonical;
    }
    const LowerText lower(raw, false);
    const auto found = vocabulary.values.find(lower.view());
    if (found != vocabulary.values.end()) return found->second;
    if (vocabulary.unknown == Vocabulary::Unknown::keep) return raw;
    if (vocabulary.unknown == Vocabulary::Unknown::absent) return {};
    return vocabulary.replacement;
}

bool FieldReader::put_text(
    const FieldInfo& field, const FieldEntry& entry, const Value& value, FieldSetBuilder& fields
) {
    std::string_view text = in_words_of(target_of(field.id), entry, text_of(value, *arena_));
    if (text.empty()) return false;
    if (!entry.keyed.empty()) {
        const std::size_t prefix_size = entry.keyed.size();
        char* out = static_cast<char*>(arena_->allocate(prefix_size + HashKey::user_ref_size, 1));
        std::memcpy(out, entry.keyed.data(), prefix_size);
        references_ = arena_->make<KeyedReference>(text, out + prefix_size, references_);
        text = {out, prefix_size + HashKey::user_ref_size};
    }
    fields.put(FieldValue::of_text(field.id, text));
    return true;
}

bool FieldReader::put_number(const FieldInfo& field, const Value& value, FieldSetBuilder& fields) {
    if (field.type == FieldType::flag) {
        const std::optional<bool> flag = flag_of(value);
        if (flag) fields.put(FieldValue::of_flag(field.id, *flag));
        return flag.has_value();
    }
    if (field.type == FieldType::integer) {
        const std::optional<std::int64_t> number = whole_number_of(value);
        if (!number || !is_in_range(field.id, *number)) return false;
        fields.put(FieldValue::of_integer(field.id, *number));
        return true;
    }
    const std::optional<double> number = number_of(value);
    if (!number || !is_in_range(field.id, *number)) return false;
    fields.put(FieldValue::of_real(field.id, *number));
    return true;
}

bool FieldReader::put_list(const FieldInfo& field, const Value& value, FieldSetBuilder& fields) {
    std::optional<Value> items = json_.array(value, *arena_);
    if (!items) items = Value::of(std::span<const Value>(&value, 1));  // a bare value
    const std::span<const Value> all =
        items->array().first(std::min<std::size_t>(items->size, JsonLookup::elements_max));
    std::size_t count = 0;
    if (field.type == FieldType::reals) {
        const std::span<double> numbers = arena_->make_array<double>(all.size());
        for (const Value& item : all) {
            if (const std::optional<double> number = number_of(item)) numbers[count++] = *number;
        }
        if (count > 0) fields.put(FieldValue::of_reals(field.id, numbers.first(count)));
        return count > 0;
    }
    const std::span<std::string_view> texts = arena_->make_array<std::string_view>(all.size());
    for (const Value& item : all) {
        const std::string_view text = text_of(item, *arena_);
        if (!text.empty()) texts[count++] = text;
    }
    if (count > 0) fields.put(FieldValue::of_texts(field.id, texts.first(count)));
    return count > 0;
}

bool FieldReader::put(
    const FieldInfo& field,
    const FieldEntry& entry,
    const FieldSource& source,
    FieldSetBuilder& fields
) {
    switch (field.type) {
        case FieldType::texts:
        case FieldType::reals: {
            const std::optional<Value> values = list(entry, source);
            return values && put_list(field, *values, fields);
        }
        case FieldType::text: {
            const std::optional<Value> text = value(entry, source);
            return text && put_text(field, entry, *text, fields);
        }
        case FieldType::integer:
        case FieldType::real:
        case FieldType::flag: {
            const std::optional<Value> number = value(entry, source);
            return number && put_number(field, *number, fields);
        }
        case FieldType::time:
            return false;  // made by the gateway
    }
    return false;
}

const FieldEntry* FieldReader::read(
    const FieldPlan& plan, FieldId id, const FieldSource& source, FieldSetBuilder& fields
) {
    if (!source.candidates.has(target_of(id))) return nullptr;
    for (const FieldPlan::Entry& entry : plan.of(target_of(id))) {
        if (entry.is_attribute && source.attributes.find(entry.key) == nullptr) continue;
        if (put(info(id), *entry.entry, source, fields)) return entry.entry;
    }
    return nullptr;
}

FieldReader::Text FieldReader::read_text(const FieldEntry& entry, const FieldSource& source) {
    const std::optional<Value> found = value(entry, source);
    if (!found) return {};
    return {text_of(*found, *arena_), &entry};
}

FieldReader::Text FieldReader::read_text(
    const FieldPlan& plan, TargetId target, const FieldSource& source
) {
    if (!source.candidates.has(target)) return {};
    for (const FieldPlan::Entry& entry : plan.of(target)) {
        if (entry.is_attribute && source.attributes.find(entry.key) == nullptr) continue;
        const Text found = read_text(*entry.entry, source);
        if (!found.text.empty()) return found;
    }
    return {};
}

}  // namespace spangate
