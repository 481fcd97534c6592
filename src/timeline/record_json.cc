#include "timeline/record_json.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <iterator>

#include <fmt/format.h>
#include <protozero/pbf_reader.hpp>

#include "base/json_quote.h"
#include "base/text.h"
#include "timeline/record_fields.h"
#include "timeline/story_event.h"

namespace spangate {
namespace {

using Reader = protozero::pbf_reader;
using Form = RecordForm;

class JsonMaker {
  public:
    explicit JsonMaker(std::string& out) : out_(out) {}

    void write_record(Reader record);

  private:
    static constexpr int nesting_max = 100;  // the gateway's own limit is 64

    [[nodiscard]] static std::string_view view(Reader& reader) {
        const protozero::data_view bytes = reader.get_view();
        return {bytes.data(), bytes.size()};
    }

    // A comma before all but the first of an object or a list.
    void separate() {
        if (out_.back() != '{' && out_.back() != '[') out_ += ',';
    }

    void name(std::string_view text) {
        separate();
        out_ += json_quote(text);
        out_ += ':';
    }

    void write_real(double real);
    void write_integer(std::int64_t integer);
    void write_scalar(Reader& record, Form form);
    void write_list(std::string_view record, std::uint32_t number, Form form);
    void write_item(Reader& record, Form form);
    void write_attributes(std::string_view message, std::uint32_t number);
    void write_attribute(Reader attribute);
    void write_value(Reader value);
    void write_message(Reader message, Form form);
    void write_redaction(Reader redaction);
    void write_count(Reader entry);

    std::string& out_;
    int nesting_ = 0;
};

// Shortest round-trip; what JSON cannot say stands as a text.
void JsonMaker::write_real(double real) {
    if (std::isnan(real)) {
        out_ += "\"NaN\"";
    } else if (std::isinf(real)) {
        out_ += real > 0 ? "\"Infinity\"" : "\"-Infinity\"";
    } else {
        fmt::format_to(std::back_inserter(out_), "{}", real);
    }
}

void JsonMaker::write_integer(std::int64_t integer) {
    const bool is_exact = integer >= -count_max && integer <= count_max;
    fmt::format_to(std::back_inserter(out_), fmt::runtime(is_exact ? "{}" : "\"{}\""), integer);
}

void JsonMaker::write_scalar(Reader& record, Form form) {
    using Wire = protozero::pbf_wire_type;
    switch (record.wire_type()) {
        case Wire::varint: {
            const std::int64_t integer = record.get_int64();
            if (form == Form::flag) {
                out_ += integer != 0 ? "true" : "false";
            } else {
                write_integer(integer);
            }
            return;
        }
        case Wire::fixed64: {
            const std::uint64_t bits = record.get_fixed64();
            if (form == Form::fixed) {
                write_integer(static_cast<std::int64_t>(bits));
            } else {
                write_real(std::bit_cast<double>(bits));
            }
            return;
        }
        case Wire::length_delimited:
            out_ += form == Form::bytes ? "\"" + to_base64(view(record)) + "\""
                                        : json_quote(view(record));
            return;
        default:
            record.skip();
            out_ += "null";
    }
}

// All fields of one number, as one list. Repeated reals are packed.
void JsonMaker::write_list(std::string_view message, std::uint32_t number, Form form) {
    out_ += '[';
    Reader reader(message.data(), message.size());
    while (reader.next()) {
        if (reader.tag() != number) {
            reader.skip();
        } else {
            write_item(reader, form);
        }
    }
    out_ += ']';
}

void JsonMaker::write_item(Reader& reader, Form form) {
    const bool is_packed =
        form == Form::reals && reader.wire_type() == protozero::pbf_wire_type::length_delimited;
    if (is_packed) {
        for (const double real : reader.get_packed_double()) {
            separate();
            write_real(real);
        }
        return;
    }
    separate();
    if (form == Form::events || form == Form::links) {
        write_message(reader.get_message(), form);
    } else {
        write_scalar(reader, form == Form::reals ? Form::real : Form::text);
    }
}

void JsonMaker::write_attributes(std::string_view message, std::uint32_t number) {
    out_ += '{';
    Reader reader(message.data(), message.size());
    while (reader.next(number, protozero::pbf_wire_type::length_delimited))
        write_attribute(reader.get_message());
    out_ += '}';
}

void JsonMaker::write_attribute(Reader attribute) {
    std::string_view key;
    Reader value;
    while (attribute.next()) {
        if (attribute.tag_and_type() ==
            protozero::tag_and_type(1, protozero::pbf_wire_type::length_delimited)) {
            key = view(attribute);
        } else if (attribute.tag_and_type() == protozero::tag_and_type(2, protozero::pbf_wire_type::length_delimited)) {
            value = attribute.get_message();
        } else {
            attribute.skip();
        }
    }
    name(key);
    write_value(value);
}

void JsonMaker::write_value(Reader value) {
    const std::size_t before = out_.size();
    ++nesting_;
    while (nesting_ < nesting_max && value.next()) {
        out_.resize(before);
        const std::uint32_t number = value.tag();
        if (number == 6 || number == 7) {
            const std::string_view list = view(value);
            if (number == 7) {
                write_attributes(list, 1);
                continue;
            }
            out_ += '[';
            Reader items(list.data(), list.size());
            while (items.next(1, protozero::pbf_wire_type::length_delimited)) {
                separate();
                write_value(items.get_message());
            }
            out_ += ']';
        } else {
            const std::array forms = {
                Form::text, Form::flag, Form::integer, Form::real, Form::bytes};
            write_scalar(
                value, number >= 1 && number <= forms.size() ? forms[number - 1] : Form::text
            );
        }
    }
    --nesting_;
    if (out_.size() == before) out_ += "null";
}

// A span event, a link or a scope: attributes are their third field.
void JsonMaker::write_message(Reader message, Form form) {
    constexpr std::uint32_t attributes_number = 3;
    const std::array<std::string_view, 2> names =
        form == Form::events  ? std::array<std::string_view, 2>{"name", "time"}
        : form == Form::links ? std::array<std::string_view, 2>{"trace_id", "span_id"}
                              : std::array<std::string_view, 2>{"name", "version"};
    const std::string_view bytes(message.data().data(), message.length());
    out_ += '{';
    bool has_attributes = false;
    while (message.next()) {
        if (message.tag() <= names.size()) {
            name(names[message.tag() - 1]);
            write_scalar(message, Form::text);
            continue;
        }
        has_attributes |= message.tag() == attributes_number;
        message.skip();
    }
    if (has_attributes) {
        name("attributes");
        write_attributes(bytes, attributes_number);
    }
    out_ += '}';
}

void JsonMaker::write_count(Reader entry) {
    std::string_view key;
    std::int64_t count = 0;
    while (entry.next()) {
        if (entry.tag() == 1 && entry.wire_type() == protozero::pbf_wire_type::length_delimited) {
            key = view(entry);
        } else if (entry.tag() == 2 && entry.wire_type() == protozero::pbf_wire_type::varint) {
            count = entry.get_int64();
        } else {
            entry.skip();
        }
    }
    name(key);
    write_integer(count);
}

void JsonMaker::write_redaction(Reader redaction) {
    const std::string_view bytes(redaction.data().data(), redaction.length());
    out_ += '{';
    while (redaction.next()) {
        if (redaction.tag() != 1) {
            redaction.skip();
            continue;
        }
        name("ruleset");
        write_scalar(redaction, Form::text);
    }
    name("counts");
    out_ += '{';
    Reader counts(bytes.data(), bytes.size());
    while (counts.next(2, protozero::pbf_wire_type::length_delimited))
        write_count(counts.get_message());
    out_ += "}}";
}

void JsonMaker::write_record(Reader record) {
    const std::string_view bytes(record.data().data(), record.length());
    std::array<bool, record_numbers_max + 1> is_written{};
    out_ += '{';
    while (record.next()) {
        const std::uint32_t number = record.tag();
        const bool is_known = !record_field(number).name.empty();
        if (!is_known || is_written[number]) {
            record.skip();
            continue;
        }
        is_written[number] = true;
        const RecordField& field = record_field(number);
        name(field.name);
        switch (field.form) {
            case Form::texts:
            case Form::reals:
            case Form::events:
            case Form::links:
                write_list(bytes, number, field.form);
                record.skip();
                break;
            case Form::attributes:
                write_attributes(bytes, number);
                record.skip();
                break;
            case Form::value:
                write_value(record.get_message());
                break;
            case Form::scope:
                write_message(record.get_message(), field.form);
                break;
            case Form::redaction:
                write_redaction(record.get_message());
                break;
            default:
                write_scalar(record, field.form);
        }
    }
    out_ += '}';
}

}  // namespace

bool record_as_json(std::string_view protobuf, std::string& json) {
    json.clear();
    try {
        JsonMaker(json).write_record(Reader(protobuf.data(), protobuf.size()));
    } catch (const protozero::exception&) {
        return false;
    }
    return true;
}

}  // namespace spangate
