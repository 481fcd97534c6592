// What leaves the house: one Kafka record of one class, in memory that sinks may borrow.
//
// A record and its bytes stand in one slab piece: [OutboundRecord | key | headers | value]. It is
// shared by its sinks: each calls done() once, from any thread; the last call lets the slab go. The
// ticket holds of required sinks are settled by whoever settles the record there.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/slab.h"
#include "model/agent_event.h"
#include "model/event_type.h"
#include "model/ticket.h"

namespace spangate {

struct OutboundRecord {
    EventClass event_class = EventClass::operational;
    EventType event_type = EventType::other;
    EventSource source = EventSource::span;
    bool starts_event = true;  // the first record of its event; gateway_seq is given once per event
    // A wrapped data key (contract §6): of class evidence for the ledger, for a topic of its own,
    // `key` is the key's id, and it has neither number nor slots.
    bool is_evidence_key = false;
    EventId event_id{};
    std::int64_t timestamp_ms = 0;   // Kafka's CreateTime: ts_received
    std::uint64_t session_hash = 0;  // SessionKey::hash()
    std::string_view tenant_id;
    std::string_view key;          // the bytes of session_id
    std::string_view traceparent;  // empty without a trace
    char* value = nullptr;
    std::uint32_t value_bytes = 0;

    // Slots that the encoder left in `value` for what is known only when the record is handed over:
    // JSON: epoch 13 digits, sequence 20 characters padded with blanks on the left; protobuf:
    // fixed64. 0: the value has no such slot.
    std::uint32_t epoch_offset = 0;
    std::uint32_t seq_offset = 0;

    std::uint64_t gateway_epoch = 0;  // ms, as given by the delivery room
    std::uint64_t gateway_seq = 0;    // likewise
    std::uint64_t delivery_no = 0;    // the Kafka sink's own: rising per class in order of send()
    std::uint64_t spool_entry_no = 0;  // likewise: read back from the spool, where it still stands
    std::uint32_t sent_tick = 0;       // likewise: coarse time at which Kafka was given it

    // One hold, taken by the router, which the delivery room makes into one per required sink.
    // Null: nobody waits for this record (made by the gateway itself, or of a class that is not
    // required).
    Ticket* ticket = nullptr;
    Slab* slab = nullptr;
    std::atomic<std::uint32_t> sinks_open{1};

    [[nodiscard]] std::string_view value_view() const { return {value, value_bytes}; }

    // One sink is through with the record. The record may be gone afterwards.
    void done() {
        if (sinks_open.fetch_sub(1, std::memory_order_acq_rel) == 1) slab->unref();
    }
};

// The records of one walk in delivery order: events of one session stay in order, the records of
// one event (operational, detail, evidence chunks) stand together, `starts_event` on the first.
struct RecordBatch {
    std::span<OutboundRecord* const> records;
};

// A place that stores records: Kafka, JSONL files, later the spool and a tee. Called by the
// delivery room under the lock of the records' session stripe, from any lane, so calls for one
// session never overlap and keep their order.
//
// send() never waits and takes every record; each is later settled exactly once, on whatever
// thread: its ticket (if the sink is required) and then done().
class RecordSink {
  public:
    virtual ~RecordSink() = default;

    virtual void send(std::span<OutboundRecord* const> records) = 0;

    // Success waits for required sinks only.
    [[nodiscard]] virtual bool is_required() const = 0;

    // Why new work should be refused now (empty: it should not), and when to come back.
    struct Refusal {
        std::string_view reason;
        std::uint32_t retry_after_s = 1;
    };

    [[nodiscard]] virtual Refusal refusal() const = 0;

    // No more send(); returns when every record is settled or at the deadline.
    virtual void drain(SteadyTime deadline) = 0;
};

}  // namespace spangate
