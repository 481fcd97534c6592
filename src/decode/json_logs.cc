#include "decode/json_logs.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "base/text.h"
#include "decode/log_record.h"

namespace spangate {
namespace {

// SeverityNumber of logs.proto: each level has four steps, the first without a digit.
constexpr std::string_view severity_prefix = "SEVERITY_NUMBER_";
constexpr std::array<std::string_view, 6> severity_levels = {
    "TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
constexpr std::int32_t steps_per_level = 4;

// 0 (unspecified) for what is no such name.
std::int32_t severity_named(std::string_view name) {
    if (!name.starts_with(severity_prefix)) return 0;
    name.remove_prefix(severity_prefix.size());
    std::int32_t step = 1;
    if (!name.empty() && name.back() >= '2' && name.back() <= '0' + steps_per_level) {
        step = name.back() - '0';
        name.remove_suffix(1);
    }
    const auto* const level = std::find(severity_levels.begin(), severity_levels.end(), name);
    if (level == severity_levels.end()) return 0;
    return static_cast<std::int32_t>(level - severity_levels.begin()) * steps_per_level + step;
}

// OTLP/JSON says numbers; some encoders write the name, as plain protobuf JSON does.
std::int32_t read_severity(JsonReader& reader, json::value value) {
    if (type_of(value) == json::json_type::string) return severity_named(reader.text(value));
    const std::int64_t number = reader.enumeration(value);
    const bool fits = number >= std::numeric_limits<std::int32_t>::min() &&
                      number <= std::numeric_limits<std::int32_t>::max();
    return fits ? static_cast<std::int32_t>(number) : 0;
}

// Zero for what is no hex or has another length.
template <std::size_t size>
std::array<std::uint8_t, size> id_of(std::string_view hex) {
    std::array<std::uint8_t, size> id{};
    return read_hex(hex, id) ? id : std::array<std::uint8_t, size>{};
}

}  // namespace

SpanFault JsonLogs::read(json::value value, SpanView& record) {
    if (!values_.take_room(ValueRoom::values_per_log_record)) return span_fault::room;
    record.log = make_log_record(arena_);
    const SpanFault fault = each_member(value, [&](std::string_view key, json::value member) {
        return read_member(key, member, record);
    });
    record.end_unix_nano = record.start_unix_nano;
    return fault;
}

SpanFault JsonLogs::read_member(std::string_view key, json::value value, SpanView& record) {
    LogRecordView& log = *record.log;
    if (key == "attributes") return values_.read_attributes(value, record.attributes, 1);
    if (key == "body") return values_.read_value(value, log.body.value, 1);
    if (key == "timeUnixNano") {
        record.start_unix_nano = reader_.uint64(value);
    } else if (key == "observedTimeUnixNano") {
        log.observed_unix_nano = reader_.uint64(value);
    } else if (key == "severityNumber") {
        log.severity_number = read_severity(reader_, value);
    } else if (key == "severityText") {
        log.severity_text = reader_.text(value);
    } else if (key == "eventName") {
        log.event_name = reader_.text(value);
    } else if (key == "traceId") {
        record.trace_id = id_of<16>(reader_.text(value));
    } else if (key == "spanId") {
        record.span_id = id_of<8>(reader_.text(value));
    } else if (key == "flags") {
        record.flags = reader_.uint32(value);
    } else if (key == "droppedAttributesCount") {
        record.dropped_attributes = reader_.uint32(value);
    }
    return nullptr;
}

}  // namespace spangate
