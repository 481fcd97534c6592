#include "route/gap_event.h"

#include <span>
#include <string>

#include "base/text.h"
#include "route/record_maker.h"

namespace spangate {
namespace {

// Ids of gateway events: (kind, gateway_id, session, number), contract §3.
EventId gap_event_id(Sha256& sha256, const GatewayIdentity& identity, const GapNotice& notice) {
    sha256.add("spangate/event/1").add_byte(0);
    sha256.add("gateway_gap").add_byte(0).add(identity.gateway_id).add_byte(0);
    sha256.add(notice.session.tenant_id).add_byte(0).add(notice.session.session_id).add_byte(0);
    sha256.add(std::to_string(notice.epoch)).add_byte(0).add(std::to_string(notice.seq_from));
    const Sha256Digest digest = sha256.finish();
    EventId id;
    write_hex(std::span(digest).first(id.size() / 2), id.data());
    return id;
}

}  // namespace

OutboundRecord* GapEventWriter::make_gap(const GapNotice& notice) {
    const WallNanos now = clock_.wall_nanos();
    const EventId event_id = gap_event_id(sha256_, identity_, notice);
    const RecordSlots slots = encode(encoding_, scratch_, [&](auto& writer) {
        const RecordSlots made = write_header_facts(
            writer,
            identity_,
            {EventClass::operational,
             EventType::gateway_gap,
             event_id,
             now,
             TimeSource::received,
             now,
             notice.session,
             {},
             EventSource::gateway,
             nullptr}
        );
        write_field(
            writer,
            FieldValue::of_integer(FieldId::seq_from, static_cast<std::int64_t>(notice.seq_from))
        );
        write_field(
            writer,
            FieldValue::of_integer(FieldId::seq_to, static_cast<std::int64_t>(notice.seq_to))
        );
        write_field(writer, FieldValue::of_text(FieldId::reason, notice.reason));
        return made;
    });
    OutboundRecord* record = make_record(
        slabs_, {notice.session, notice.session.hash(), nullptr, now / 1'000'000, scratch_, slots}
    );
    slabs_.finish();  // a rare event must not pin a slab for the next one
    record->event_class = EventClass::operational;
    record->event_type = EventType::gateway_gap;
    record->source = EventSource::gateway;
    record->event_id = event_id;
    return record;
}

}  // namespace spangate
