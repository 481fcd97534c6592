// Partitions come and go; what is known of their sessions is read back, saved and committed.
#include <algorithm>

#include "guard/guard_loop.h"
#include "guard/session_record.h"
#include "guard/state_reader.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "guard";
constexpr Millis save_timeout{10'000};  // of partitions that are given away
constexpr Millis event_timeout{5'000};  // before a checkpoint is put off
constexpr int offsets_timeout_ms = 10'000;
constexpr WallNanos nanos_per_ms = 1'000'000;

}  // namespace

void KafkaGuard::Loop::on_rebalance(
    rd_kafka_t* client,
    rd_kafka_resp_err_t event,
    rd_kafka_topic_partition_list_t* partitions,
    void* opaque
) {
    auto& loop = *static_cast<Loop*>(opaque);
    if (event == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        loop.assign(*partitions);
        return;
    }
    loop.revoke(*partitions);
    rd_kafka_error_t* const error = rd_kafka_incremental_unassign(client, partitions);
    if (error != nullptr) rd_kafka_error_destroy(error);
}

void KafkaGuard::Loop::assign(rd_kafka_topic_partition_list_t& partitions) {
    Status ready = find_offsets(partitions);
    for (int i = 0; i < partitions.cnt && ready; ++i)
        ready = restore(partitions.elems[i]);
    if (!ready) {
        if (ready.error().code != ErrorCode::shutting_down) fail_with(std::move(ready.error()));
        take_nothing();
        return;
    }
    for (int i = 0; i < partitions.cnt; ++i) {
        const rd_kafka_topic_partition_t& partition = partitions.elems[i];
        OwnedShard& owned = shards_[shard_of(partition.topic, partition.partition)];
        owned = OwnedShard{};
        owned.next = partition.offset;
    }
    rd_kafka_error_t* const error = rd_kafka_incremental_assign(consumer_.get(), &partitions);
    if (error != nullptr) {
        fail_with(guard_kafka_failure("take partitions", rd_kafka_error_code(error)).value());
        rd_kafka_error_destroy(error);
        return;
    }
    parts_.counters.assigned.add(static_cast<std::uint64_t>(partitions.cnt));
    log_info(
        room,
        "{} partitions assigned, {} in all; {} sessions watched",
        partitions.cnt,
        shards_.size(),
        watch_.shelf().size()
    );
}

// The guard ends; until then the client wants an answer to what it was given.
void KafkaGuard::Loop::take_nothing() {
    const GuardPartitions none(rd_kafka_topic_partition_list_new(0));
    rd_kafka_error_t* const error = rd_kafka_incremental_assign(consumer_.get(), none.get());
    if (error != nullptr) rd_kafka_error_destroy(error);
}

// Where reading goes on: at what is committed.
Status KafkaGuard::Loop::find_offsets(rd_kafka_topic_partition_list_t& partitions) {
    if (partitions.cnt == 0) return {};  // there are more guards than partitions
    const rd_kafka_resp_err_t error =
        rd_kafka_committed(consumer_.get(), &partitions, offsets_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return guard_kafka_failure("read the group's offsets", error);
    }
    std::map<Shard, std::int64_t> firsts;
    for (int i = 0; i < partitions.cnt; ++i) {
        rd_kafka_topic_partition_t& partition = partitions.elems[i];
        if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return guard_kafka_failure("read the group's offsets", partition.err);
        }
        if (partition.offset >= 0) continue;
        if (Status found = find_first_offset(partition); !found) return found;
        firsts[shard_of(partition.topic, partition.partition)] = partition.offset;
    }
    // From now on the group has a place there: who restarts later misses nothing.
    commit(firsts, true);
    return {};
}

// The group has read nothing of it yet: a little way back, so that sessions that run have their
// recent past, or where --since says.
Status KafkaGuard::Loop::find_first_offset(rd_kafka_topic_partition_t& partition) {
    std::int64_t low = 0;
    std::int64_t high = 0;
    rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        consumer_.get(), partition.topic, partition.partition, &low, &high, offsets_timeout_ms
    );
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("find offsets", error);
    const WallNanos back = std::chrono::nanoseconds(order_.guard.loops.silence).count();
    const WallNanos since = order_.since.value_or(parts_.clock.wall_nanos() - back);
    const GuardPartitions asked(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(asked.get(), partition.topic, partition.partition)->offset =
        since / nanos_per_ms;
    error = rd_kafka_offsets_for_times(consumer_.get(), asked.get(), offsets_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("find offsets", error);
    const std::int64_t found = asked->elems[0].offset;
    partition.offset = found >= 0 ? found : high;  // nothing is so young
    return {};
}

Status KafkaGuard::Loop::restore(const rd_kafka_topic_partition_t& partition) {
    const Shard shard = shard_of(partition.topic, partition.partition);
    const WallNanos ttl = std::chrono::nanoseconds(order_.guard.session_ttl).count();
    const SavedPlace place{
        order_.guard.state_topic,
        partition.partition,
        partition.topic,
        parts_.clock.wall_nanos() - ttl};
    Result<SavedPartition> saved =
        read_saved_partition(order_.kafka, place, parts_.counters, parts_.stop);
    if (!saved) return tl::unexpected(std::move(saved.error()));
    std::int64_t low = 0;
    std::int64_t high = 0;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        consumer_.get(), partition.topic, partition.partition, &low, &high, offsets_timeout_ms
    );
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("find offsets", error);
    for (const std::string& key : saved->expired)
        outbox_->put_state(place.state_topic, place.partition, key, std::nullopt);
    const std::lock_guard lock(mutex_);
    for (SavedSession& session : saved->sessions) {
        // Ahead of the topic's end: of another topic, which had its name before.
        if (session.offset >= high) continue;
        Result<GuardedSession> woken = wake_session(std::move(session), shard, order_.guard);
        if (!woken) {
            parts_.counters.state_damaged.add();
            continue;
        }
        if (!watch_.restore(std::move(*woken))) break;
        parts_.counters.state_restored.add();
    }
    return {};
}

void KafkaGuard::Loop::revoke(const rd_kafka_topic_partition_list_t& partitions) {
    const bool is_lost = rd_kafka_assignment_lost(consumer_.get()) != 0;
    Counter& counter = is_lost ? parts_.counters.lost : parts_.counters.revoked;
    counter.add(static_cast<std::uint64_t>(partitions.cnt));
    std::map<Shard, std::int64_t> offsets;
    for (int i = 0; i < partitions.cnt; ++i) {
        const Shard shard = shard_of(partitions.elems[i].topic, partitions.elems[i].partition);
        const auto owned = shards_.find(shard);
        if (owned != shards_.end()) offsets[shard] = owned->second.next;
    }
    // Lost: another guard has them already and began at what was saved before.
    bool is_saved = !is_lost && !failure_ && outbox_->wait_for_events(save_timeout);
    if (is_saved) {
        {
            const std::lock_guard lock(mutex_);
            watch_.shelf().for_each([&](GuardedSession& session) {
                if (session.is_changed && offsets.contains(session.shard)) save(session);
            });
        }
        is_saved = outbox_->wait_for(outbox_->close_generation(), save_timeout);
        if (is_saved) commit(offsets, true);
    }
    const std::lock_guard lock(mutex_);
    for (const auto& [shard, next] : offsets) {
        watch_.shelf().remove_shard(shard);
        shards_.erase(shard);
        if (checkpoint_) checkpoint_->offsets.erase(shard);
    }
    log_info(
        room,
        "{} partitions {}{}",
        partitions.cnt,
        is_lost ? "lost" : "given back",
        is_saved || offsets.empty() ? "" : "; not saved, the next guard reads them again"
    );
}

void KafkaGuard::Loop::save(GuardedSession& session) {
    outbox_->put_state(
        order_.guard.state_topic,
        session.shard.partition,
        session_record_key(session.key()),
        session_record_value(session, topics_[session.shard.topic])
    );
    session.is_changed = false;
}

// Sessions of which something was told are saved at once: the shorter the time until then, the less
// a crash makes the next guard tell again.
void KafkaGuard::Loop::save_told() {
    if (told_.empty() || !outbox_->has_stored_events()) return;
    const std::lock_guard lock(mutex_);
    for (const auto& [tenant_id, session_id] : told_) {
        GuardedSession* session = watch_.shelf().find({tenant_id, session_id});
        if (session != nullptr && session->is_changed) save(*session);
    }
    told_.clear();
}

void KafkaGuard::Loop::begin_checkpoint() {
    next_checkpoint_ = parts_.clock.steady() + order_.guard.state_interval;
    if (checkpoint_ || !outbox_->wait_for_events(event_timeout)) return;  // put off
    Checkpoint made;
    {
        const std::lock_guard lock(mutex_);
        watch_.shelf().for_each([this](GuardedSession& session) {
            if (session.is_changed) save(session);
        });
    }
    for (const auto& [shard, owned] : shards_) {
        if (owned.next > owned.committed) made.offsets[shard] = owned.next;
    }
    made.generation = outbox_->close_generation();
    checkpoint_ = std::move(made);
}

void KafkaGuard::Loop::finish_checkpoint() {
    if (!checkpoint_ || !outbox_->is_settled(checkpoint_->generation)) return;
    const Checkpoint done = std::move(*checkpoint_);
    checkpoint_.reset();
    parts_.counters.state_saves.add();
    commit(done.offsets, false);
}

void KafkaGuard::Loop::commit(const std::map<Shard, std::int64_t>& offsets, bool waits) {
    if (offsets.empty()) return;
    const GuardPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(offsets.size())));
    for (const auto& [shard, next] : offsets) {
        rd_kafka_topic_partition_list_add(list.get(), topics_[shard.topic].c_str(), shard.partition)
            ->offset = next;
        const auto owned = shards_.find(shard);
        if (owned != shards_.end()) owned->second.committed = next;
    }
    parts_.counters.commits.add();
    const rd_kafka_resp_err_t error = rd_kafka_commit(consumer_.get(), list.get(), waits ? 0 : 1);
    if (waits && error != RD_KAFKA_RESP_ERR_NO_ERROR) count_commit_failure(error);
}

// A refused commit means that the partitions have gone, or the next commit covers it.
void KafkaGuard::Loop::on_commit(
    rd_kafka_t* /*client*/,
    rd_kafka_resp_err_t error,
    rd_kafka_topic_partition_list_t* /*offsets*/,
    void* opaque
) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        static_cast<Loop*>(opaque)->count_commit_failure(error);
    }
}

void KafkaGuard::Loop::count_commit_failure(rd_kafka_resp_err_t error) {
    parts_.counters.commit_failures.add();
    log_debug(room, "a commit was refused: {}", rd_kafka_err2str(error));
}

void KafkaGuard::Loop::evict(GuardedSession& session) {
    parts_.counters.evicted.add();
    if (session.is_changed && outbox_->wait_for_events(event_timeout)) save(session);
}

void KafkaGuard::Loop::forget(const GuardedSession& session) {
    parts_.counters.forgotten.add();
    outbox_->put_state(
        order_.guard.state_topic,
        session.shard.partition,
        session_record_key(session.key()),
        std::nullopt
    );
}

}  // namespace spangate
