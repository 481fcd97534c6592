// Typed reads of JSON values as OTLP writes them, over simdjson on demand. A value of the wrong
// form ends the request with a JsonFault, caught at the edge of otlp_json.
#pragma once

#include <cstdint>
#include <string_view>

#include <simdjson.h>

#include "base/arena.h"
#include "model/span_view.h"

namespace spangate {

namespace json = simdjson::ondemand;

// `what` is a literal.
struct JsonFault {
    const char* what;
};

inline void expect(simdjson::error_code error) {
    if (error != simdjson::SUCCESS) throw JsonFault{simdjson::error_message(error)};
}

inline void expect(simdjson::error_code error, const char* what) {
    if (error != simdjson::SUCCESS) throw JsonFault{what};
}

[[nodiscard]] inline json::json_type type_of(json::value value) {
    json::json_type type{};
    expect(value.type().get(type));
    return type;
}

class JsonReader {
  public:
    JsonReader(json::parser& parser, Arena& arena) : parser_(parser), arena_(arena) {}

    // Borrowed from the body, or unescaped in the arena.
    [[nodiscard]] std::string_view text(json::value value);

    [[nodiscard]] bool boolean(json::value value);

    // A number or a string that holds one. Each ends the request when it does not fit.
    [[nodiscard]] std::uint64_t uint64(json::value value);
    [[nodiscard]] std::uint32_t uint32(json::value value);
    [[nodiscard]] double real(json::value value);

    // int64 where it fits, real where not.
    [[nodiscard]] Value integer(json::value value);

    // An enum value: a number only.
    [[nodiscard]] std::int64_t enumeration(json::value value);

    // base64, of either alphabet.
    [[nodiscard]] Value bytes(json::value value);

  private:
    [[nodiscard]] std::string_view unescape(json::raw_json_string raw, std::string_view escaped);

    json::parser& parser_;
    Arena& arena_;
};

// The member's key; unescaped into the parser's own room when it has escapes. Stage 1 of the parser
// has seen that every string is closed.
[[nodiscard]] inline std::string_view key_of(json::field& member) {
    const char* first = member.key().raw();
    const char* end = first;
    while (*end != '"' && *end != '\\')
        ++end;
    std::string_view key(first, static_cast<std::size_t>(end - first));
    if (*end == '\\') expect(member.unescaped_key().get(key));
    return key;
}

// Calls `take(key, value)` for each member that is not null, until it answers with a fault.
// `Fault` is a pointer type; null means «go on».
template <typename Object, typename Take>
const char* each_member(Object&& source, Take&& take) {
    json::object object;
    expect(source.get_object().get(object), "an object is expected here");
    for (simdjson::simdjson_result<json::field> found : object) {
        json::field member;
        expect(std::move(found).get(member));
        const std::string_view key = key_of(member);
        json::value value = member.value();
        if (type_of(value) == json::json_type::null) continue;
        if (const char* fault = take(key, value)) return fault;
    }
    return nullptr;
}

// Calls `take(value)` for each element, likewise.
template <typename Take>
const char* each_element(json::value source, Take&& take) {
    json::array array;
    expect(source.get_array().get(array), "an array is expected here");
    for (simdjson::simdjson_result<json::value> found : array) {
        json::value element;
        expect(std::move(found).get(element));
        if (const char* fault = take(element)) return fault;
    }
    return nullptr;
}

}  // namespace spangate
