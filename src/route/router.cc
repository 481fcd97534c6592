#include "route/router.h"

#include <algorithm>

#include "route/encode.h"
#include "route/evidence_key_receipt.h"
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
      slabs_(slabs),
      keys_total_(&metrics.counter(
          "spangate_evidence_key_records_total",
          "Records of wrapped data keys; a key is repeated until it is stored."
      )) {
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
    keys_written_.clear();
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
        if (!released.evidence.empty()) add_evidence(released);
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
    if (released.evidence.key_record != nullptr) add_evidence_key(released);
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

// Beside the evidence, not before it: no order is promised between topics, and until both are
// stored the client has no success.
void Router::add_evidence_key(const ReleasedItem& released) {
    Ticket* const waiting = config_.evidence_required ? released.item->ticket : nullptr;
    const std::shared_ptr<EvidenceKeyRecord>& key = released.evidence.key_record;
    const std::pair<const Ticket*, const EvidenceKeyRecord*> written{waiting, key.get()};
    if (std::find(keys_written_.begin(), keys_written_.end(), written) != keys_written_.end()) {
        return;
    }
    keys_written_.push_back(written);
    OutboundRecord* record = make_record(
        slabs_,
        {{key->tenant_id, key->key_id},
         session_hash_,
         nullptr,
         released.item->received_at / 1'000'000,
         key->value,
         {}}
    );
    record->event_class = EventClass::evidence;
    record->is_evidence_key = true;
    record->starts_event = false;
    if (waiting != nullptr) waiting->hold(1);
    record->ticket = new Ticket(  // deletes itself when the sinks have settled it
        std::make_unique<EvidenceKeyReceipt>(key, waiting),
        nullptr,
        Lease()
    );
    encoded_.back().second += record_bytes(*record);
    keys_total_->add();
    records_.push_back(record);
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
