#include "model/field.h"

#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include <catch2/catch.hpp>

#include "model/field_set.h"

using namespace spangate;

namespace {

// name → (type, number) of the fields of message Event, read from the contract's source.
std::map<std::string, std::pair<std::string, int>> fields_of_proto() {
    std::ifstream file(SPANGATE_SOURCE_DIR "/proto/spangate/v1/events.proto");
    std::stringstream text;
    text << file.rdbuf();
    std::string body = text.str();
    body = body.substr(body.find("message Event {"));
    body = body.substr(0, body.find("\nmessage "));
    std::map<std::string, std::pair<std::string, int>> fields;
    const std::regex line(R"(\n\s+((?:optional|repeated) \w+) (\w+) = (\d+);)");
    for (std::sregex_iterator at(body.begin(), body.end(), line), end; at != end; ++at) {
        fields[(*at)[2]] = {(*at)[1], std::stoi((*at)[3])};
    }
    return fields;
}

std::string proto_type(FieldType type) {
    switch (type) {
        case FieldType::text:
        case FieldType::time:
            return "optional string";
        case FieldType::integer:
            return "optional int64";
        case FieldType::real:
            return "optional double";
        case FieldType::flag:
            return "optional bool";
        case FieldType::texts:
            return "repeated string";
        case FieldType::reals:
            return "repeated double";
    }
    return "";
}

}  // namespace

TEST_CASE("every field of the table stands in events.proto with its number and type") {
    const auto proto = fields_of_proto();
    REQUIRE(proto.size() > fields_count);
    std::set<int> numbers;
    for (const FieldInfo& field : field_table) {
        INFO(field.name);
        const auto found = proto.find(std::string(field.name));
        REQUIRE(found != proto.end());
        CHECK(found->second.second == field.number);
        CHECK(found->second.first == proto_type(field.type));
        CHECK(numbers.insert(field.number).second);
    }
}

TEST_CASE("operational numbers of events.proto are those of the table and no others") {
    for (const auto& [name, declared] : fields_of_proto()) {
        if (declared.second < 21 || declared.second >= 200) continue;
        INFO(name);
        CHECK(field_from(name).has_value());
    }
}

TEST_CASE("a packed field set finds what was put and nothing else") {
    FieldSetBuilder builder;
    builder.put(FieldValue::of_text(FieldId::tool_name, "search"));
    builder.put(FieldValue::of_integer(FieldId::repeat_count, 3));
    builder.put(FieldValue::of_text(FieldId::env, "prod"));
    builder.put(FieldValue::of_text(FieldId::tool_name, "fetch"));
    builder.put(FieldValue::of_flag(FieldId::stream, true));
    builder.erase(FieldId::stream);
    Arena arena;
    const FieldSet fields = builder.pack(arena);
    REQUIRE(fields.values().size() == 3);
    CHECK(fields.values()[0].id == FieldId::env);
    CHECK(fields.find(FieldId::tool_name)->text() == "fetch");
    CHECK(fields.find(FieldId::repeat_count)->integer == 3);
    CHECK(fields.find(FieldId::stream) == nullptr);
}
