// Writes the event contract as protobuf (proto/spangate/v1/events.proto): the same calls as
// JsonEventWriter, so that one walk serves both encodings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <protozero/pbf_writer.hpp>

#include "base/text.h"
#include "model/span_view.h"
#include "route/field_key.h"

namespace spangate {

class ProtoEventWriter {
  public:
    explicit ProtoEventWriter(std::string& out) : out_(out) { out_.clear(); }

    void finish() {}

    void text(FieldKey key, std::string_view value) {
        repaired_.clear();
        if (!is_utf8(value)) {  // proto3 strings are UTF-8
            append_as_utf8(value, repaired_);
            value = repaired_;
        }
        writer().add_string(key.number, value.data(), value.size());
    }

    void integer(FieldKey key, std::int64_t value) { writer().add_int64(key.number, value); }

    void real(FieldKey key, double value) { writer().add_double(key.number, value); }

    void flag(FieldKey key, bool value) { writer().add_bool(key.number, value); }

    void time(FieldKey key, WallNanos value) {
        char digits[rfc3339_size];
        write_rfc3339(value, digits);
        writer().add_string(key.number, digits, rfc3339_size);
    }

    void hex(FieldKey key, std::span<const std::uint8_t> bytes) { text(key, to_hex(bytes)); }

    void bytes(FieldKey key, std::string_view value) {
        writer().add_bytes(key.number, value.data(), value.size());
    }

    void texts(FieldKey key, std::span<const std::string_view> values) {
        for (const std::string_view value : values)
            text(key, value);
    }

    void reals(FieldKey key, std::span<const double> values) {
        writer().add_packed_double(key.number, values.begin(), values.end());
    }

    [[nodiscard]] std::uint32_t epoch_slot(FieldKey key) { return slot(key); }

    [[nodiscard]] std::uint32_t seq_slot(FieldKey key) { return slot(key); }

    void attributes(
        FieldKey key, std::span<const Attribute> first, std::span<const Attribute> second
    ) {
        for (const Attribute& item : first)
            attribute(key, item);
        for (const Attribute& item : second)
            attribute(key, item);
    }

    // An AttributeValue.
    void value(FieldKey key, const Value& value) {
        begin_message(key);
        switch (value.kind) {
            case ValueKind::empty:
                break;
            case ValueKind::string:
                text({"string_value", 1}, value.text());
                break;
            case ValueKind::boolean:
                flag({"bool_value", 2}, value.boolean);
                break;
            case ValueKind::integer:
                integer({"int_value", 3}, value.integer);
                break;
            case ValueKind::real:
                real({"double_value", 4}, value.real);
                break;
            case ValueKind::bytes:
                bytes({"bytes_value", 5}, value.text());
                break;
            case ValueKind::array:
                begin_message({"array_value", 6});
                for (const Value& item : value.array())
                    this->value({"values", 1}, item);
                end_message();
                break;
            case ValueKind::kvlist:
                begin_message({"kvlist_value", 7});
                for (const Attribute& item : value.kvlist())
                    attribute({"values", 1}, item);
                end_message();
                break;
        }
        end_message();
    }

    void begin_list(FieldKey) {}

    void end_list() {}

    void begin_item(FieldKey key) { open_.push_back({key.number, {}}); }

    void end_item() { close(); }

    void begin_message(FieldKey key) { open_.push_back({key.number, {}}); }

    void end_message() { close(); }

    // A protobuf map is a list of entries under its own number.
    void begin_map(FieldKey) {}

    void end_map() {}

    void count(FieldKey key, std::string_view rule, std::uint32_t value) {
        begin_item(key);
        text({"key", 1}, rule);
        writer().add_uint32(2, value);
        end_item();
    }

    // Decoded parts stand in JSON only: in protobuf the payload is the bytes themselves.
    void raw_json(FieldKey, std::string_view) {}

  private:
    struct Open {
        std::uint16_t number;
        std::string bytes;
    };

    protozero::pbf_writer writer() { return protozero::pbf_writer(target()); }

    std::string& target() { return open_.empty() ? out_ : open_.back().bytes; }

    void close() {
        const Open inner = std::move(open_.back());
        open_.pop_back();
        writer().add_message(inner.number, inner.bytes);
    }

    std::uint32_t slot(FieldKey key) {
        writer().add_fixed64(key.number, 0);
        return static_cast<std::uint32_t>(out_.size() - sizeof(std::uint64_t));
    }

    void attribute(FieldKey key, const Attribute& item) {
        if (item.value.kind == ValueKind::empty) return;
        begin_item(key);
        text({"key", 1}, item.key);
        value({"value", 2}, item.value);
        end_item();
    }

    std::string& out_;
    std::vector<Open> open_;
    std::string repaired_;
};

}  // namespace spangate
