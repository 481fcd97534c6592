#include "interpret/json_lookup.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include <simdjson.h>

namespace spangate {
namespace {

using simdjson::dom::element;

constexpr std::string_view every_element = "*";

std::optional<std::size_t> index_of(std::string_view segment) {
    std::size_t index = 0;
    const char* end = segment.data() + segment.size();
    const auto [stopped, error] = std::from_chars(segment.data(), end, index);
    if (segment.empty() || error != std::errc() || stopped != end) return std::nullopt;
    return index;
}

std::optional<Value> scalar_of(const element& json, Arena& arena) {
    switch (json.type()) {
        case simdjson::dom::element_type::STRING: {
            const std::string_view text = json.get_string().value_unsafe();
            return Value::of(arena.copy(text));
        }
        case simdjson::dom::element_type::INT64:
            return Value::of(json.get_int64().value_unsafe());
        case simdjson::dom::element_type::UINT64:
            return Value::of(static_cast<double>(json.get_uint64().value_unsafe()));
        case simdjson::dom::element_type::DOUBLE:
            return Value::of(json.get_double().value_unsafe());
        case simdjson::dom::element_type::BOOL:
            return Value::of(json.get_bool().value_unsafe());
        case simdjson::dom::element_type::ARRAY:
        case simdjson::dom::element_type::OBJECT:
        case simdjson::dom::element_type::NULL_VALUE:
            return std::nullopt;
    }
    return std::nullopt;
}

bool step(element& json, const std::string& segment) {
    if (json.is_object()) {
        return json.get_object().value_unsafe().at_key(segment).get(json) == simdjson::SUCCESS;
    }
    const std::optional<std::size_t> index = index_of(segment);
    if (!index || !json.is_array()) return false;
    return json.get_array().value_unsafe().at(*index).get(json) == simdjson::SUCCESS;
}

std::optional<Value> walk(element json, std::span<const std::string> pointer, Arena& arena) {
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        if (pointer[i] != every_element) {
            if (!step(json, pointer[i])) return std::nullopt;
            continue;
        }
        if (!json.is_array()) return std::nullopt;
        const simdjson::dom::array items = json.get_array().value_unsafe();
        const std::size_t items_max = std::min(items.size(), JsonLookup::elements_max);
        const std::span<Value> found = arena.make_array<Value>(items_max);
        std::size_t count = 0;
        for (const element item : items) {
            if (count == items_max) break;
            const std::optional<Value> value = walk(item, pointer.subspan(i + 1), arena);
            if (value) found[count++] = *value;
        }
        return Value::of(std::span<const Value>(found.first(count)));
    }
    if (!json.is_array()) return scalar_of(json, arena);
    const std::string every(every_element);
    return walk(json, std::span(&every, 1), arena);
}

// The same over an OTLP value.
std::optional<Value> walk(Value value, std::span<const std::string> pointer, Arena& arena) {
    for (std::size_t i = 0; i < pointer.size(); ++i) {
        const std::string& segment = pointer[i];
        if (value.kind == ValueKind::kvlist) {
            const std::span<const Attribute> entries = value.kvlist();
            const auto found =
                std::find_if(entries.begin(), entries.end(), [&](const Attribute& entry) {
                    return entry.key == segment;
                });
            if (found == entries.end()) return std::nullopt;
            value = found->value;
            continue;
        }
        if (value.kind != ValueKind::array) return std::nullopt;
        const std::span<const Value> items = value.array();
        if (segment != every_element) {
            const std::optional<std::size_t> index = index_of(segment);
            if (!index || *index >= items.size()) return std::nullopt;
            value = items[*index];
            continue;
        }
        const std::size_t items_max = std::min(items.size(), JsonLookup::elements_max);
        const std::span<Value> found = arena.make_array<Value>(items_max);
        std::size_t count = 0;
        for (const Value& item : items.first(items_max)) {
            const std::optional<Value> inner = walk(item, pointer.subspan(i + 1), arena);
            if (inner) found[count++] = *inner;
        }
        return Value::of(std::span<const Value>(found.first(count)));
    }
    const bool is_none = value.kind == ValueKind::empty || value.kind == ValueKind::kvlist;
    return is_none ? std::nullopt : std::optional(value);
}

bool looks_like_json(std::string_view text) {
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return false;
    return text[first] == '{' || text[first] == '[' || text[first] == '"';
}

}  // namespace

struct JsonLookup::State {
    simdjson::dom::parser parser;
    std::string padded;  // a copy: the parser reads past the end
    std::string inner;   // JSON in a JSON string
    element root;
    const char* text = nullptr;  // of what root was made
    std::size_t size = 0;
    bool is_json = false;

    bool read(std::string_view json) {
        padded.resize(json.size() + simdjson::SIMDJSON_PADDING);
        std::memcpy(padded.data(), json.data(), json.size());
        return parser.parse(padded.data(), json.size(), false).get(root) == simdjson::SUCCESS;
    }
};

JsonLookup::JsonLookup() : state_(std::make_unique<State>()) {}

JsonLookup::~JsonLookup() = default;

void JsonLookup::forget() {
    state_->text = nullptr;
}

bool JsonLookup::parse(std::string_view text) {
    State& state = *state_;
    if (state.text == text.data() && state.size == text.size()) return state.is_json;
    state.text = text.data();
    state.size = text.size();
    state.is_json = looks_like_json(text) && state.read(text);
    if (state.is_json && state.root.is_string()) {
        state.inner = state.root.get_string().value_unsafe();
        state.is_json = looks_like_json(state.inner) && state.read(state.inner);
    }
    return state.is_json;
}

std::optional<Value> JsonLookup::find(
    const Value& value, std::span<const std::string> pointer, Arena& arena
) {
    if (!value.is_text()) return walk(value, pointer, arena);
    if (!parse(value.text())) return std::nullopt;
    return walk(state_->root, pointer, arena);
}

std::optional<Value> JsonLookup::array(const Value& value, Arena& arena) {
    if (value.kind == ValueKind::array) return value;
    if (!value.is_text() || !parse(value.text()) || !state_->root.is_array()) return std::nullopt;
    return walk(state_->root, {}, arena);
}

}  // namespace spangate
