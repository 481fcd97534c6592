// The fifth step of the walk: decides what of each item may leave, by class, and is the only maker
// of ReleasedBatch. Deny by default: what no table names is content (contract §1, §5, §6).
//
//   operational  every text field held to its form; user_ref, digests, lengths and commitment added
//   detail       a copy of the span in which every string leaf and key was looked at
//   evidence     the raw content parts, and every value of another class that a rule has changed
//
// One per lane; not thread-safe. Never fails: what cannot be judged is treated as content.
#pragma once

#include <memory>

#include "config/config.h"
#include "digest/evidence_keys.h"
#include "digest/hash_key.h"
#include "model/batch.h"
#include "model/record_limits.h"
#include "observe/metrics.h"
#include "redact/rule_set.h"

namespace spangate {

class Redactor {
  public:
    // Everything by reference outlives the redactor.
    Redactor(
        const RedactConfig& config,
        const EvidenceConfig& evidence,
        std::shared_ptr<const RuleSet> rules,
        const HashKey& key,
        Metrics& metrics
    );
    ~Redactor();
    Redactor(const Redactor&) = delete;
    Redactor& operator=(const Redactor&) = delete;

    // Before the first redact(): under which keys evidence leaves (null: in clear), and which
    // limits its records keep (null: the configuration's alone).
    void send_evidence(std::shared_ptr<EvidenceKeys> keys, const RecordLimits* limits);

    // One released item for each of `events`, in the same order; all views stand in the batch's
    // arena or in what the batch owns.
    [[nodiscard]] ReleasedBatch redact(EventBatch&& events);

  private:
    struct State;

    [[nodiscard]] ReleasedItem redact_item(const AgentItem& item, const RequestFacts* facts);

    std::unique_ptr<State> state_;
};

}  // namespace spangate
