// One walk, two encodings: runs `body` with the writer of the configured encoding over `scratch`.
#pragma once

#include <string>

#include "route/event_walk.h"
#include "route/json_event_writer.h"
#include "route/proto_event_writer.h"

namespace spangate {

enum class EventEncoding : std::uint8_t { json, protobuf };

template <typename Body>
RecordSlots encode(EventEncoding encoding, std::string& scratch, const Body& body) {
    if (encoding == EventEncoding::json) {
        JsonEventWriter writer(scratch);
        const RecordSlots slots = body(writer);
        writer.finish();
        return slots;
    }
    ProtoEventWriter writer(scratch);
    const RecordSlots slots = body(writer);
    writer.finish();
    return slots;
}

}  // namespace spangate
