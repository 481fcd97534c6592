// The inside of KafkaGuard. Included by this room's .cc files alone.
//
// Of each partition:   … read, observed | told and stored | saved | committed
//                        next ≥           state's offset ≥   offset committed
//
//   1. A session is saved only when all its policy events are stored.
//   2. An offset is committed only when every session that saw an event below it is saved.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "guard/kafka_client.h"
#include "guard/kafka_guard.h"
#include "guard/outbox.h"
#include "guard/policy_event.h"
#include "guard/shard_clock.h"
#include "guard/verdict_board.h"
#include "guard/watch.h"

namespace spangate {

// What is known of a partition as long as it is this guard's.
struct OwnedShard {
    std::int64_t next = 0;        // offset that is read next
    std::int64_t committed = -1;  // -1: nothing yet
    ShardClock clock;
};

class KafkaGuard::Loop final : public WatchSink {
  public:
    Loop(GuardOrder order, GuardParts parts);

    [[nodiscard]] Status open_clients();
    [[nodiscard]] Status run();
    [[nodiscard]] std::string verdict(const SessionKey& key) const;

    void tell(const GuardTelling& telling) override;
    void evict(GuardedSession& session) override;
    void forget(const GuardedSession& session) override;

  private:
    // A checkpoint under way: these offsets are committed when the generation is stored.
    struct Checkpoint {
        std::uint64_t generation = 0;
        std::map<Shard, std::int64_t> offsets;
    };

    static void on_rebalance(
        rd_kafka_t* client,
        rd_kafka_resp_err_t event,
        rd_kafka_topic_partition_list_t* partitions,
        void* opaque
    );
    static void on_commit(
        rd_kafka_t* client,
        rd_kafka_resp_err_t error,
        rd_kafka_topic_partition_list_t* offsets,
        void* opaque
    );
    static void on_error(rd_kafka_t* client, int error, const char* reason, void* opaque);

    // guard_loop.cc: reading, time.
    [[nodiscard]] Status prepare();
    [[nodiscard]] Status prepare_topics();
    [[nodiscard]] Status subscribe();
    void read_some();
    void take(const rd_kafka_message_t& message);
    void take_record(const rd_kafka_message_t& message);
    void take_fault(rd_kafka_resp_err_t error);
    void tick();
    void look_at_ends();
    void look_for_brokers();
    void leave();

    // guard_shards.cc: partitions come and go, state is saved.
    void assign(rd_kafka_topic_partition_list_t& partitions);
    void revoke(const rd_kafka_topic_partition_list_t& partitions);
    [[nodiscard]] Status find_offsets(rd_kafka_topic_partition_list_t& partitions);
    [[nodiscard]] Status find_first_offset(rd_kafka_topic_partition_t& partition);
    [[nodiscard]] Status restore(const rd_kafka_topic_partition_t& partition);
    void save(GuardedSession& session);
    void save_told();
    void begin_checkpoint();
    void finish_checkpoint();
    void take_nothing();
    void count_commit_failure(rd_kafka_resp_err_t error);
    void commit(const std::map<Shard, std::int64_t>& offsets, bool waits);

    [[nodiscard]] Shard shard_of(const char* topic, std::int32_t partition) const;

    [[nodiscard]] bool is_stopping() const { return parts_.stop.load(std::memory_order_relaxed); }

    void fail_with(Error error);

    const GuardOrder order_;
    const GuardParts parts_;
    const GuardIdentity identity_;
    const PolicyEventForm form_;
    const std::vector<std::string> topics_;

    std::unique_ptr<Outbox> outbox_;
    GuardKafkaClient consumer_;

    mutable std::mutex mutex_;  // of watch_, which verdict() asks
    Watch watch_;

    VerdictBoard board_;  // of the other guards' sessions
    std::int32_t state_partitions_ = 0;
    std::map<Shard, OwnedShard> shards_;
    std::vector<std::pair<std::string, std::string>> told_;  // sessions to save as soon as may be
    std::optional<Checkpoint> checkpoint_;
    SteadyTime next_checkpoint_{};
    SteadyTime next_tick_{};
    bool has_brokers_ = true;
    StoredEvent stored_;  // scratch
    std::optional<Error> failure_;
    LogLimit log_limit_;
};

}  // namespace spangate
