// Room 4: spans become typed agent events (contract §2 to §5), by the conventions table alone.
//
//   each span ──SpanReader──▶ Draft ──SessionBinder──▶ session ──CallLedger──▶ counted once
//
// One Interpreter a lane; not thread-safe. Memories are shared by all lanes. Everything it makes
// lives in the batch's arena, and it takes nothing from the heap in steady state but the batch's
// own list of items.
#pragma once

#include <memory>
#include <string>

#include "config/config.h"
#include "digest/hash_key.h"
#include "interpret/conventions.h"
#include "interpret/price_table.h"
#include "interpret/session_memory.h"
#include "interpret/usage_memory.h"
#include "model/batch.h"
#include "observe/metrics.h"

namespace spangate {

class ExplanationRecorder;

// What a reload replaces; no pointer is null. `gateway_id` goes into the ids of the events that the
// gateway makes of itself.
struct InterpretTables {
    std::shared_ptr<const Conventions> conventions;
    std::shared_ptr<const PriceTable> prices;
    std::string gateway_id = {};
};

class Interpreter {
  public:
    // All references outlive the interpreter; the events of a batch point into the tables, which
    // the interpreter keeps alive.
    Interpreter(
        const InterpretConfig& config,
        InterpretTables tables,
        const HashKey& hash_key,
        SessionMemory& sessions,
        UsageMemory& usages,
        Metrics& metrics
    );
    ~Interpreter();
    Interpreter(const Interpreter&) = delete;
    Interpreter& operator=(const Interpreter&) = delete;

    // Never fails: what a span says wrongly is left out, what says nothing is dropped and counted.
    [[nodiscard]] EventBatch interpret(EnrichedBatch&& batch);

    // From the next batch on, why each item became what it is (interpret/explanation.h); null: no
    // more. The recorder outlives the interpreter or is taken away.
    void explain_to(ExplanationRecorder* recorder);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
