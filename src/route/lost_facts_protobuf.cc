#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

#include "model/field.h"
#include "route/field_key.h"
#include "route/json_text.h"
#include "route/lost_facts.h"

namespace spangate {
namespace {

constexpr std::uint32_t attribute_key = 1;    // Attribute.key
constexpr std::uint32_t attribute_value = 2;  // Attribute.value

std::string_view text_of(const protozero::data_view& view) {
    return {view.data(), view.size()};
}

// Empty for one that a later version wrote.
std::string_view name_of(std::uint32_t number) {
    for (const FieldKey& key : key::event_keys) {
        if (key.number == number) return key.name;
    }
    for (const FieldInfo& field : field_table) {
        if (field.number == number) return field.name;
    }
    return {};
}

// Header fields are texts, counts and the two numbers of delivery.
void append_header(std::string& out, std::string_view name, protozero::pbf_reader& field) {
    if (!out.empty()) out += ',';
    append_json_string(out, name);
    out += ':';
    switch (field.wire_type()) {
        case protozero::pbf_wire_type::length_delimited:
            append_json_string(out, text_of(field.get_view()));
            break;
        case protozero::pbf_wire_type::fixed64:
            out += std::to_string(field.get_fixed64());
            break;
        default:
            out += std::to_string(field.get_uint64());
    }
}

// As in JSON, between the quotes.
std::string escaped(std::string_view name) {
    std::string quoted;
    append_json_string(quoted, name);
    return quoted.substr(1, quoted.size() - 2);
}

KeySize size_of_attribute(std::string_view parent, protozero::pbf_reader attribute) {
    KeySize size;
    size.name = parent;
    size.name += '.';
    while (attribute.next()) {
        if (attribute.tag() == attribute_key) {
            size.name += escaped(text_of(attribute.get_view()));
        } else if (attribute.tag() == attribute_value) {
            size.bytes = attribute.get_view().size();
        } else {
            attribute.skip();
        }
    }
    return size;
}

std::size_t skipped_bytes(protozero::pbf_reader& field) {
    if (field.wire_type() == protozero::pbf_wire_type::length_delimited) {
        return field.get_view().size();
    }
    const std::size_t before = field.length();
    field.skip();
    return before - field.length();
}

// A list stands as neighbours under one number.
void add_size(std::vector<KeySize>& sizes, std::string_view name, std::size_t bytes) {
    if (!sizes.empty() && sizes.back().name == name) {
        sizes.back().bytes += bytes;
    } else {
        sizes.push_back({std::string(name), bytes});
    }
}

void read(LostFacts& facts, protozero::pbf_reader event) {
    while (event.next()) {
        const std::string_view name = name_of(event.tag());
        if (is_header_key(name)) {
            append_header(facts.header, name, event);
        } else if (is_opened_key(name)) {
            facts.key_sizes.push_back(size_of_attribute(name, event.get_message()));
        } else {
            const std::string number = name.empty() ? std::to_string(event.tag()) : std::string();
            add_size(facts.key_sizes, name.empty() ? number : name, skipped_bytes(event));
        }
    }
}

}  // namespace

LostFacts lost_facts_protobuf(std::string_view value) {
    LostFacts facts;
    try {
        read(facts, protozero::pbf_reader(value.data(), value.size()));
    } catch (const protozero::exception&) {
        return {};  // half a header would be worse than what the record itself knows
    }
    return facts;
}

}  // namespace spangate
