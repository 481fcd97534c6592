// Room 6: released events become Kafka records: class → topic, session → key, headers' facts,
// value.
//
// One router per lane; it owns the scratch string in which values are encoded and a slab writer in
// which records stand until their last sink is through with them. Values are encoded once, whatever
// the number of sinks.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/slab.h"
#include "config/config.h"
#include "model/batch.h"
#include "model/record.h"
#include "observe/metrics.h"
#include "route/encode.h"

namespace spangate {

class Router {
  public:
    // `identity`, `slabs` and `metrics` outlive the router.
    Router(
        const RouteConfig& config,
        EventEncoding encoding,
        const GatewayIdentity& identity,
        SlabPool& slabs,
        Metrics& metrics
    );

    // The records of a batch, grouped by session, in the order of the batch within a session. Every
    // record of a required class holds its item's ticket once. The span is valid until the next
    // call; the records live until their sinks are through.
    [[nodiscard]] RecordBatch route(const ReleasedBatch& batch);

    // Bytes that records of `ticket` made by the last route() hold in slabs.
    [[nodiscard]] std::uint64_t encoded_bytes(const Ticket& ticket) const;

  private:
    void route_item(const ReleasedItem& released, std::string_view ruleset);
    void add_operational(const ReleasedItem& released, const AgentEvent& event);
    void add_detail(const ReleasedItem& released, std::string_view ruleset);
    void add_evidence(const ReleasedItem& released);
    void add_evidence_key(const ReleasedItem& released);
    void add_record(
        const ReleasedItem& released,
        const AgentEvent& event,
        EventClass event_class,
        const RecordSlots& slots
    );
    [[nodiscard]] bool is_required(EventClass event_class) const;

    const RouteConfig& config_;
    const EventEncoding encoding_;
    const GatewayIdentity& identity_;
    SlabWriter slabs_;
    std::string scratch_;
    std::vector<OutboundRecord*> records_;
    std::vector<std::pair<std::uint64_t, const ReleasedItem*>> order_;  // by SessionKey::hash()
    std::vector<std::pair<const Ticket*, std::uint64_t>> encoded_;
    // Data keys that the batch has written, each once for a request.
    std::vector<std::pair<const Ticket*, const EvidenceKeyRecord*>> keys_written_;
    std::uint64_t session_hash_ = 0;
    bool starts_event_ = true;
    Counter* records_total_[event_classes_count];
    Counter* keys_total_;
};

}  // namespace spangate
