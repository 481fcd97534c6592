// Released items as records: what stands on the topics, for the tests of this room.
#pragma once

#include <string>

#include "redact/redactor_context.h"
#include "route/encode.h"

namespace spangate {

// The record of `event_class` that the router would make of the item's primary event.
[[nodiscard]] inline std::string encoded(
    const ReleasedItem& item, EventClass event_class, EventEncoding encoding = EventEncoding::json
) {
    static const GatewayIdentity gateway{"test-1", "0123456789ab", "0123"};
    const AgentEvent& primary = item.events[item.primary];
    std::string out;
    (void)encode(encoding, out, [&](auto& writer) {
        const RecordSlots slots = write_header(writer, gateway, item, primary, event_class);
        write_operational_fields(writer, primary);
        if (event_class == EventClass::detail) write_detail_fields(writer, item, "ruleset-1");
        return slots;
    });
    if (encoding == EventEncoding::json) {
        // The slots that Delivery fills: as they are left to it they are no numbers.
        out[out.find("\"gateway_epoch\":") + 16] = '1';
        out[out.find("\"gateway_seq\":") + 14] = '1';
    }
    return out;
}

}  // namespace spangate
