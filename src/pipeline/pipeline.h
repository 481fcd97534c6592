// Rooms 2–6 as one walk: what a lane does with the requests it took. Plain members and plain calls;
// the types of the steps (model/batch.h) make a wrong order a compile error. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "base/arena.h"
#include "base/slab.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "deliver/delivery.h"
#include "digest/hash_key.h"
#include "interpret/interpreter.h"
#include "model/batch.h"
#include "model/record_limits.h"
#include "model/request.h"
#include "pipeline/ledger.h"
#include "pipeline/rules.h"
#include "redact/redactor.h"
#include "route/router.h"

namespace spangate {

// What all pipelines share; made by the gateway, which outlives them.
struct PipelineShared {
    const ReceiverLimits& limits;
    EventEncoding encoding;
    const CurrentRules& rules;
    const HashKey& hash_key;
    SessionMemory& sessions;
    UsageMemory& usage;
    SlabPool& slabs;
    Delivery& delivery;
    Ledger& ledger;
    Metrics& metrics;
    const RecordLimits* record_limits = nullptr;  // null: the configuration's alone
};

class Pipeline {
  public:
    explicit Pipeline(const PipelineShared& shared);

    // Decodes a request into the batch that is being gathered. A request that cannot be decoded, or
    // was answered while it waited, is settled here and not taken.
    void take(RawRequest&& request);

    // Spans and body bytes gathered so far.
    [[nodiscard]] std::size_t spans() const { return spans_; }

    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    // Walks the gathered batch through the rooms, hands its records to delivery and settles the
    // requests' own holds.
    void walk();

  private:
    // The rooms that stand on one set of rules.
    struct Rooms {
        Rooms(const PipelineShared& shared, std::shared_ptr<const Rules> current);

        std::shared_ptr<const Rules> rules;
        Interpreter interpreter;
        Redactor redactor;
        Router router;
    };

    void follow_rules();
    void count_drops(const EventBatch& events, const std::vector<Ticket*>& tickets);

    const PipelineShared shared_;
    Decoder decoder_;
    std::unique_ptr<Rooms> rooms_;
    Arena arena_;
    std::vector<DecodedRequest> gathered_;
    std::vector<ItemCounts> counts_;  // one per gathered request
    std::size_t spans_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace spangate
