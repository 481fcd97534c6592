// What the event ids of log records are made of (contract §3): many records have no trace, no span
// and no time, so a record is known by what it says, wherever and however it was sent.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/arena.h"
#include "digest/sha256.h"
#include "model/span_view.h"

namespace spangate {

// The canonical form writes every part with its size, numbers big-endian, the entries of a kvlist
// in the order of their keys; so the same record sent as JSON and as protobuf reads alike. One for
// each lane.
class RecordDigests {
  public:
    void begin();          // before the first record of a batch
    void begin_request();  // before the first record of a request

    // SHA-256 of resource, scope, record and how many such records the request held before it. In
    // the arena.
    [[nodiscard]] const Sha256Digest* digest_of(const SpanView& record, Arena& arena);

  private:
    void add_number(std::uint64_t number);
    void add_text(std::string_view text);
    void add_value(const Value& value, Arena& arena);
    void add_attributes(std::span<const Attribute> attributes, Arena& arena);
    [[nodiscard]] Sha256Digest hash_of_text();

    std::string text_;  // the canonical form on its way
    Sha256 hasher_;
    const ResourceView* resource_ = nullptr;
    const ScopeView* scope_ = nullptr;
    Sha256Digest resource_digest_{};
    Sha256Digest scope_digest_{};
    std::unordered_map<std::string_view, std::uint32_t> seen_;  // of the request, by digest
};

}  // namespace spangate
