// The fields of a protobuf record, and what their JSON is. Included by this room's .cc files alone.
#pragma once

#include <cstdint>
#include <string_view>

namespace spangate {

enum class RecordForm : std::uint8_t {
    text,
    texts,
    integer,
    fixed,
    real,
    reals,
    flag,
    bytes,
    attributes,
    value,
    events,
    links,
    scope,
    redaction,
};

struct RecordField {
    std::string_view name;
    RecordForm form = RecordForm::text;
};

inline constexpr std::uint32_t record_numbers_max = 255;

// By its number in proto/spangate/v1/events.proto; one without a name is not known.
[[nodiscard]] const RecordField& record_field(std::uint32_t number);

}  // namespace spangate
