#include "route/router.h"

#include <algorithm>

#include "route/encode.h"
#include "route/record_maker.h"

namespace spangate {
Router::Router(
    const RouteConfig& config,
    EventEncoding encoding,
    const GatewayIdentity& identity,
    SlabPool& slabs,
    Metrics& metrics
)
    : config_(config),
      encoding_(encoding),
      identity_(identity),
      slabs_(slabs) {
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        records_total_[i] = &metrics.counter(
            "spangate_records_encoded_total",
            "Records encoded, by class.",
            {{"class", event_class_names[i]}}
        );
    }
}

RecordBatch Router::route(const ReleasedBatch& batch) {
    records_.clear();
    encoded_.clear();
    order_.clear();
    for (const ReleasedItem& item : batch.items)
        order_.emplace_back(item.session.hash(), &item);
    // One run per session: delivery takes a session's lock once. Stable, so order within it stays.
    std::stable_sort(order_.begin(), order_.end(), [](const auto& a, const auto& b) {
        return a.first < b.first;
    });
    for (const auto& [hash, item] : order_) {
        session_hash_ = hash;
        route_item(*item, batch.ruleset);
    }
    slabs_.finish();
    return {records_};
}

std::uint64_t Router::encoded_bytes(const Ticket& ticket) const {
    std::uint64_t bytes = 0;
    for (const auto& [owner, size] : encoded_) {
        if (owner == &ticket) bytes += size;
    }
    return bytes;
}

void Router::route_item(const ReleasedItem& released, std::string_view ruleset) {
    encoded_.emplace_back(released.item->ticket, 0);
    for (std::size_t i = 0; i < released.events.size(); ++i) {
        starts_event_ = true;
        add_operational(released, released.events[i]);
        if (i != released.primary) continue;
        if (released.detail != nullptr) add_detail(released, ruleset);
        if (!released.evidence.parts_json.empty()) add_evidence(released);
    }
}

void Router::add_operational(const ReleasedItem& released, const AgentEvent& event) {
    const RecordSlots slots = encode(encoding_, scratch_, [&](auto& writer) {
        const RecordSlots made =
            write_header(writer, identity_, released, event, EventClass::operational);
        write_operational_fields(writer, event);
        return made;
    });
    add_record(released, event, EventClass::operational, slots);
}

void Router::add_detail(const ReleasedItem& released, std::string_view ruleset) {
    const AgentEvent& primary = released.events[released.primary];
    const RecordSlots slots = encode(encoding_, scratch_, [&](auto& writer) {
        const RecordSlots made =
            write_header(writer, identity_, released, primary, EventClass::detail);
        write_operational_fields(writer, primary);
        write_detail_fields(writer, released, ruleset);
        return made;
    });
    add_record(released, primary, EventClass::detail, slots);
}

void Router::add_evidence(const ReleasedItem& released) {
    const AgentEvent& primary = released.events[released.primary];
    for (std::uint32_t chunk = 0; chunk < released.evidence.chunks; ++chunk) {
        const RecordSlots slots = encode(encoding_, scratch_, [&](auto& writer) {
            const RecordSlots made =
                write_header(writer, identity_, released, primary, EventClass::evidence);
            write_evidence_fields(writer, released.evidence, chunk);
            return made;
        });
        add_record(released, primary, EventClass::evidence, slots);
    }
}

void Router::add_record(
    const ReleasedItem& released,
    const AgentEvent& event,
    EventClass event_class,
    const RecordSlots& slots
) {
    const AgentItem& item = *released.item;
    OutboundRecord* record = make_record(
        slabs_,
        {released.session, session_hash_, item.span, item.received_at / 1'000'000, scratch_, slots}
    );
    record->event_class = event_class;
    record->event_type = event.type;
    record->source = item.source;
    record->starts_event = starts_event_;
    record->event_id = event.event_id;
    if (is_required(event_class) && item.ticket != nullptr) {
        record->ticket = item.ticket;
        item.ticket->hold(1);
    }
    starts_event_ = false;
    encoded_.back().second += record_bytes(*record);
    records_total_[static_cast<std::size_t>(event_class)]->add();
    records_.push_back(record);
}

bool Router::is_required(EventClass event_class) const {
    switch (event_class) {
        case EventClass::operational:
            return config_.operational_required;
        case EventClass::detail:
            return config_.detail_required;
        case EventClass::evidence:
            return config_.evidence_required;
    }
    return true;
}

}  // namespace spangate
