// Event batches for the rooms after interpret: the one way round the private constructors of
// model/batch.h. A batch owns nothing here; spans, field sets and the arena are the test's.
#pragma once

#include <utility>
#include <vector>

#include "model/batch.h"

namespace spangate {

struct EventBatchForTest {
    [[nodiscard]] static EventBatch make(
        Arena& arena, std::vector<AgentItem> items, std::vector<const RequestFacts*> item_facts = {}
    ) {
        EnrichedBatch enriched;
        enriched.spans.arena = &arena;
        EventBatch batch(std::move(enriched));
        batch.items = std::move(items);
        batch.item_facts = std::move(item_facts);
        return batch;
    }
};

}  // namespace spangate
