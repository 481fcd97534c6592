// Makes the two `session_alias` events of each pair of sessions (contract §4): one in each session,
// naming the other. They stand at the end of the batch's items, are settled with the ticket of the
// request that showed them, and are no items of the ledger. Belongs to one lane.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "digest/hash_key.h"
#include "digest/sha256.h"
#include "interpret/session_alias.h"
#include "model/batch.h"
#include "model/field_set.h"

namespace spangate {

class AliasWriter {
  public:
    // `hash_key` outlives the writer.
    AliasWriter(std::string gateway_id, const HashKey& hash_key)
        : gateway_id_(std::move(gateway_id)),
          hash_key_(hash_key) {}

    // Everything made lives in the batch's arena.
    void append(std::span<const SessionAlias> aliases, EventBatch& batch);

  private:
    void append_one(
        const SessionAlias& alias, const AliasEnd& in, const AliasEnd& names, EventBatch& batch
    );
    [[nodiscard]] EventId event_id(const SessionAlias& alias, const AliasEnd& in);

    const std::string gateway_id_;
    const HashKey& hash_key_;
    Sha256 sha256_;
    FieldSetBuilder fields_;
};

}  // namespace spangate
