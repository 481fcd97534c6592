// The keyed digests of a tool call's arguments and result (contract §5, Digests), from the parts
// that the conventions table gave these roles. Belongs to one lane.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "digest/hash_key.h"
#include "model/agent_event.h"
#include "model/span_view.h"

namespace spangate {

struct ItemDigests {
    std::string_view args;  // in the arena; empty: the item has none
    std::string_view args_shape;
    std::string_view result;
};

class DigestMaker {
  public:
    explicit DigestMaker(const HashKey& key) : key_(key) {}

    // Where results are put from now on.
    void use(Arena& arena) { arena_ = &arena; }

    // Nothing when none of the item's events may carry digests.
    [[nodiscard]] ItemDigests make(const AgentItem& item);

    // Gives back scratch that a huge value has left.
    void trim();

  private:
    // One part is itself; several under one prefix are an object of them by key.
    void find_parts(const SpanView& span, ContentRole role);
    [[nodiscard]] Value joined() const;
    [[nodiscard]] std::string_view digest(
        std::string_view tenant_id, ContentRole role, std::string_view canonical
    );

    const HashKey& key_;
    Arena* arena_ = nullptr;
    std::vector<const Attribute*> parts_;
    std::string canonical_;
    std::string shape_;
};

}  // namespace spangate
