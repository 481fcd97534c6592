// What we add over protozero: the place of the field being read, for error messages, and the
// refusal of known fields with a wrong wire type. Faults are protozero exceptions; they end the
// decoding of a request and are caught at the edge of otlp_protobuf.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>

#include <protozero/exception.hpp>
#include <protozero/pbf_reader.hpp>

namespace spangate {

struct WrongWireType : protozero::exception {
    [[nodiscard]] const char* what() const noexcept override { return "wrong wire type"; }
};

// Field numbers below 32 as bits.
constexpr std::uint32_t field_bits(std::initializer_list<unsigned> fields) {
    std::uint32_t mask = 0;
    for (const unsigned field : fields)
        mask |= 1U << field;
    return mask;
}

// Field number and wire type in one number, for `switch`.
namespace wire {

constexpr std::uint32_t varint(std::uint32_t field) {
    return protozero::tag_and_type(field, protozero::pbf_wire_type::varint);
}

constexpr std::uint32_t fixed64(std::uint32_t field) {
    return protozero::tag_and_type(field, protozero::pbf_wire_type::fixed64);
}

constexpr std::uint32_t fixed32(std::uint32_t field) {
    return protozero::tag_and_type(field, protozero::pbf_wire_type::fixed32);
}

// A string, bytes or a message.
constexpr std::uint32_t bytes(std::uint32_t field) {
    return protozero::tag_and_type(field, protozero::pbf_wire_type::length_delimited);
}

}  // namespace wire

// One message. `place` outlives the reader and points at the field that is being read.
class WireReader {
  public:
    WireReader(std::string_view message, const char*& place)
        : reader_(message.data(), message.size()),
          place_(place) {}

    // Moves on to the next field; false at the end.
    bool next() {
        place_ = reader_.data().data();
        return reader_.next();
    }

    [[nodiscard]] std::uint32_t tag_and_type() const { return reader_.tag_and_type(); }

    [[nodiscard]] std::string_view bytes() {
        const protozero::data_view view = reader_.get_view();
        return {view.data(), view.size()};
    }

    [[nodiscard]] bool boolean() { return reader_.get_bool(); }

    [[nodiscard]] std::int64_t int64() { return reader_.get_int64(); }

    // Also of an enum, whose values may be unknown.
    [[nodiscard]] std::int32_t int32() { return reader_.get_int32(); }

    [[nodiscard]] std::uint32_t uint32() { return reader_.get_uint32(); }

    [[nodiscard]] std::uint32_t fixed32() { return reader_.get_fixed32(); }

    [[nodiscard]] std::uint64_t fixed64() { return reader_.get_fixed64(); }

    [[nodiscard]] double real() { return reader_.get_double(); }

    void skip() { reader_.skip(); }

    // For fields that no case took. `known_fields`: one bit per field number of the message.
    void skip_unknown(std::uint32_t known_fields) {
        const protozero::pbf_tag_type field = reader_.tag();
        if (field < 32 && ((known_fields >> field) & 1U) != 0) throw WrongWireType();
        reader_.skip();
    }

  private:
    protozero::pbf_reader reader_;
    const char*& place_;
};

// False, and `id` is left alone, when the bytes are not as many as the id's.
template <std::size_t size>
[[nodiscard]] bool read_id(std::string_view bytes, std::array<std::uint8_t, size>& id) {
    if (bytes.size() != size) return false;
    std::memcpy(id.data(), bytes.data(), size);
    return true;
}

// How often each of `tags_and_types` occurs in `message`: lists are made at their final size.
template <std::size_t kinds>
[[nodiscard]] std::array<std::size_t, kinds> count_fields(
    std::string_view message,
    const std::array<std::uint32_t, kinds>& tags_and_types,
    const char*& place
) {
    std::array<std::size_t, kinds> counts{};
    WireReader reader(message, place);
    while (reader.next()) {
        const std::uint32_t field = reader.tag_and_type();
        for (std::size_t i = 0; i < kinds; ++i)
            counts[i] += static_cast<std::size_t>(field == tags_and_types[i]);
        reader.skip();
    }
    return counts;
}

}  // namespace spangate
