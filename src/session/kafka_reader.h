// Events from the topics, as a consumer without a group: nothing is committed, no rebalance, no
// trace on the cluster. A session is read from the one partition of its key (murmur2), as long as
// the partition counts have not changed since; `reads_all_partitions` for topics that have grown.
//
// Without `follows` it reads up to the high watermark at the start, also of a topic that grows on.
// A record that packs several events gives them one by one. With `since` the broker finds the
// offsets by record time; where it cannot, everything is read and older records are passed over.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.h"
#include "config/config.h"
#include "session/event_reader.h"

namespace spangate {

class KafkaReader final : public EventReader {
  public:
    // Waits for the brokers' metadata: `unavailable` when none answers within ten seconds,
    // `not_found` when a topic is missing, `permission_denied` (from next() too) when a class may
    // not be read: the message names it. Topic names with {tenant} are read for all of `tenants`.
    [[nodiscard]] static Result<std::unique_ptr<KafkaReader>> open(
        const KafkaConfig& config, EventQuery query, bool reads_all_partitions = false
    );

    ~KafkaReader() override;
    KafkaReader(const KafkaReader&) = delete;
    KafkaReader& operator=(const KafkaReader&) = delete;

    [[nodiscard]] Result<ReadState> next(StoredEvent& event) override;
    [[nodiscard]] std::uint64_t damaged() const override;

  private:
    struct State;
    explicit KafkaReader(std::unique_ptr<State> state);

    std::unique_ptr<State> state_;
};

}  // namespace spangate
