#include "guard/guard_loop.h"

#include <algorithm>

#include "guard/verdict.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "guard";
constexpr Millis poll_time{100};
constexpr int records_per_turn = 500;  // between two looks at everything else
constexpr Millis tick_interval{1'000};
constexpr std::size_t quick_sessions = 10'000;  // looked at once a second; more take longer
constexpr Millis prepare_pause{1'000};
constexpr int probe_timeout_ms = 500;
constexpr WallNanos nanos_per_second = 1'000'000'000;

KafkaProperties consumer_properties(const GuardConfig& guard) {
    return {
        {"group.id", guard.group},
        // A guard that comes or goes moves only the partitions it must: the others keep their
        // sessions in memory and go on.
        {"partition.assignment.strategy", "cooperative-sticky"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "earliest"},
        {"enable.partition.eof", "true"},
        {"isolation.level", "read_committed"},
        {"session.timeout.ms", "10000"},
        {"heartbeat.interval.ms", "2000"},
        {"fetch.wait.max.ms", "100"},
        {"queued.max.messages.kbytes", "16384"}};
}

}  // namespace

KafkaGuard::Loop::Loop(GuardOrder order, GuardParts parts)
    : order_(std::move(order)),
      parts_(parts),
      identity_(guard_identity(order_.guard)),
      form_{order_.kafka.encoding == "json", order_.kafka.headers},
      topics_(operational_topics(order_.kafka)),
      watch_(order_.guard, order_.tenant_id, *this),
      board_(order_.guard.sessions_max) {}

Status KafkaGuard::Loop::open_clients() {
    parts_.health.set_not_ready(room, "waiting for the brokers");
    Result<std::unique_ptr<Outbox>> outbox =
        Outbox::open(order_.kafka, parts_.counters, parts_.stop);
    if (!outbox) return tl::unexpected(std::move(outbox.error()));
    outbox_ = std::move(*outbox);
    Result<GuardKafkaConf> conf = guard_kafka_conf(order_.kafka, consumer_properties(order_.guard));
    if (!conf) return tl::unexpected(std::move(conf.error()));
    rd_kafka_conf_set_opaque(conf->get(), this);
    rd_kafka_conf_set_rebalance_cb(conf->get(), on_rebalance);
    rd_kafka_conf_set_offset_commit_cb(conf->get(), on_commit);
    rd_kafka_conf_set_error_cb(conf->get(), on_error);
    Result<GuardKafkaClient> client = open_guard_client(std::move(*conf), RD_KAFKA_CONSUMER);
    if (!client) return tl::unexpected(std::move(client.error()));
    consumer_ = std::move(*client);
    return {};
}

// A guard that starts before its brokers waits for them.
Status KafkaGuard::Loop::prepare() {
    while (!is_stopping()) {
        const Status prepared = prepare_topics();
        if (prepared || !prepared.error().retryable()) return prepared;
        parts_.health.set_not_ready(room, prepared.error().message);
        if (log_limit_.allows()) log_warn(room, "{}; trying again", prepared.error().message);
        outbox_->serve(prepare_pause);
    }
    return {};
}

Status KafkaGuard::Loop::prepare_topics() {
    TopicSize most;
    for (const std::string& topic : topics_) {
        const Result<TopicSize> size = topic_size(consumer_.get(), topic);
        if (!size) return tl::unexpected(size.error());
        most.partitions = std::max(most.partitions, size->partitions);
        most.replicas = std::max(most.replicas, size->replicas);
    }
    const std::string& name = order_.guard.state_topic;
    Result<TopicSize> state = topic_size(outbox_->client(), name);
    if (!state && state.error().code == ErrorCode::not_found) {
        if (Status made = create_state_topic(outbox_->client(), name, most); !made) {
            made.error().message +=
                "; make it beforehand: compacted, with as many partitions as the operational topic";
            return made;
        }
        log_info(room, "created {} with {} partitions", name, most.partitions);
        return fail(ErrorCode::unavailable, "waiting for the new topic " + name);
    }
    if (!state) return tl::unexpected(std::move(state.error()));
    state_partitions_ = state->partitions;
    if (state->partitions >= most.partitions) return {};
    return fail(
        ErrorCode::conflict,
        fmt::format(
            "{} has {} partitions, the operational topic {}: a partition's sessions are saved on "
            "the partition of the same number; give {} as many",
            name,
            state->partitions,
            most.partitions,
            name
        )
    );
}

Status KafkaGuard::Loop::subscribe() {
    const GuardPartitions list(rd_kafka_topic_partition_list_new(static_cast<int>(topics_.size())));
    for (const std::string& topic : topics_)
        rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), RD_KAFKA_PARTITION_UA);
    const rd_kafka_resp_err_t error = rd_kafka_subscribe(consumer_.get(), list.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return guard_kafka_failure("subscribe", error);
    return {};
}

Status KafkaGuard::Loop::run() {
    if (Status prepared = prepare(); !prepared) return prepared;
    if (is_stopping()) return {};
    if (Status subscribed = subscribe(); !subscribed) return subscribed;
    board_.follow(order_.kafka, order_.guard.state_topic, state_partitions_);
    parts_.health.set_ready(room);
    next_tick_ = parts_.clock.steady() + tick_interval;
    next_checkpoint_ = parts_.clock.steady() + order_.guard.state_interval;
    while (!is_stopping() && !failure_) {
        read_some();
        outbox_->serve(Millis{0});
        if (outbox_->failure()) fail_with(*outbox_->failure());
        save_told();
        finish_checkpoint();
        if (parts_.clock.steady() >= next_checkpoint_) begin_checkpoint();
        if (parts_.clock.steady() >= next_tick_) tick();
    }
    leave();
    if (failure_) return tl::unexpected(*failure_);
    return {};
}

// Closing revokes all partitions, and that saves their sessions.
void KafkaGuard::Loop::leave() {
    parts_.health.set_not_ready(room, "stopping");
    (void)rd_kafka_consumer_close(consumer_.get());
}

void KafkaGuard::Loop::read_some() {
    Millis wait = poll_time;
    for (int i = 0; i < records_per_turn && !failure_; ++i) {
        const GuardMessage message(
            rd_kafka_consumer_poll(consumer_.get(), static_cast<int>(wait.count()))
        );
        if (message == nullptr) return;
        take(*message);
        wait = Millis{0};
    }
}

void KafkaGuard::Loop::take(const rd_kafka_message_t& message) {
    switch (message.err) {
        case RD_KAFKA_RESP_ERR_NO_ERROR:
            take_record(message);
            return;
        case RD_KAFKA_RESP_ERR__PARTITION_EOF: {
            const Shard shard = shard_of(rd_kafka_topic_name(message.rkt), message.partition);
            const auto owned = shards_.find(shard);
            if (owned != shards_.end()) owned->second.clock.reach_end(parts_.clock.steady());
            return;
        }
        default:
            take_fault(message.err);
    }
}

void KafkaGuard::Loop::take_record(const rd_kafka_message_t& message) {
    const Shard shard = shard_of(rd_kafka_topic_name(message.rkt), message.partition);
    const auto owned = shards_.find(shard);
    if (owned == shards_.end() || message.offset < owned->second.next) return;
    stored_.value.assign(static_cast<const char*>(message.payload), message.len);
    stored_.is_json = stored_.value.starts_with('{');
    stored_.received_at = record_time(message);
    stored_.partition = message.partition;
    stored_.offset = message.offset;
    {
        const std::lock_guard lock(mutex_);
        parts_.counters.count(watch_.observe(shard, message.offset, stored_));
    }
    owned->second.next = message.offset + 1;
    owned->second.clock.saw_record(
        stored_.received_at, parts_.clock.wall_nanos(), parts_.clock.steady()
    );
}

void KafkaGuard::Loop::take_fault(rd_kafka_resp_err_t error) {
    parts_.counters.broker_faults.add();
    const ErrorCode code = error_code_of(error);
    const bool is_hopeless = code == ErrorCode::permission_denied ||
                             code == ErrorCode::unauthenticated ||
                             error == RD_KAFKA_RESP_ERR__FATAL;
    Error told = guard_kafka_failure("read on", error).value();
    if (is_hopeless) {
        fail_with(std::move(told));
    } else if (log_limit_.allows()) {
        log_warn(room, "{}; trying on", told.message);
    }
}

void KafkaGuard::Loop::on_error(
    rd_kafka_t* /*client*/, int error, const char* /*reason*/, void* opaque
) {
    auto& loop = *static_cast<Loop*>(opaque);
    const auto code = static_cast<rd_kafka_resp_err_t>(error);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (loop.has_brokers_) log_warn(room, "the brokers are away");
        loop.has_brokers_ = false;
        loop.parts_.health.set_not_ready(room, "the brokers are away");
        for (auto& [shard, owned] : loop.shards_)
            owned.clock.lose_sight();
    }
    // A single broker may be away for long, and librdkafka goes on trying.
    if (code == RD_KAFKA_RESP_ERR__TRANSPORT) return;
    loop.take_fault(code);
}

void KafkaGuard::Loop::tick() {
    if (!has_brokers_) look_for_brokers();
    look_at_ends();
    const WallNanos wall = parts_.clock.wall_nanos();
    const SteadyTime now = parts_.clock.steady();
    std::size_t sessions = 0;
    {
        const std::lock_guard lock(mutex_);
        watch_.tick([&](Shard shard) {
            const auto owned = shards_.find(shard);
            return owned == shards_.end() ? 0 : owned->second.clock.time(wall, now);
        });
        sessions = watch_.shelf().size();
    }
    parts_.counters.sessions.set(static_cast<std::int64_t>(sessions));
    parts_.counters.partitions.set(static_cast<std::int64_t>(shards_.size()));
    next_tick_ = parts_.clock.steady() + tick_interval * (1 + sessions / quick_sessions);
}

// How far behind the guard is. A quiet partition's end is told once; after an absence of the
// brokers the watermark of the last fetch tells it again.
void KafkaGuard::Loop::look_at_ends() {
    std::int64_t behind = 0;
    WallNanos oldest = 0;
    const WallNanos wall = parts_.clock.wall_nanos();
    for (auto& [shard, owned] : shards_) {
        std::int64_t low = 0;
        std::int64_t high = 0;
        if (rd_kafka_get_watermark_offsets(
                consumer_.get(), topics_[shard.topic].c_str(), shard.partition, &low, &high
            ) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            continue;
        }
        if (high >= 0 && owned.next >= high && has_brokers_) {
            owned.clock.reach_end(parts_.clock.steady());
        }
        behind += std::max<std::int64_t>(0, high - owned.next);
        const WallNanos newest = owned.clock.newest();
        if (high > owned.next && newest > 0) oldest = std::max(oldest, wall - newest);
    }
    parts_.counters.lag_records.set(behind);
    parts_.counters.lag_seconds.set(oldest / nanos_per_second);
}

void KafkaGuard::Loop::look_for_brokers() {
    const struct rd_kafka_metadata* metadata = nullptr;  // a function has the same name
    if (rd_kafka_metadata(consumer_.get(), 0, nullptr, &metadata, probe_timeout_ms) !=
        RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    rd_kafka_metadata_destroy(metadata);
    has_brokers_ = true;
    parts_.health.set_ready(room);
    log_info(room, "the brokers are back");
}

void KafkaGuard::Loop::tell(const GuardTelling& telling) {
    const WallNanos now = parts_.clock.wall_nanos();
    const PolicyEvent event = make_policy_event(telling, identity_, order_.guard, form_, now);
    outbox_->put_event(
        topics_[telling.session.shard.topic], telling.session.session_id, event, now
    );
    parts_.counters.count(telling.telling.signal);
    told_.emplace_back(telling.session.tenant_id, telling.session.session_id);
    if (parts_.webhook != nullptr) {
        parts_.webhook->post(webhook_message(telling, event.event_id, now));
    }
}

std::string KafkaGuard::Loop::verdict(const SessionKey& key) const {
    {
        const std::lock_guard lock(mutex_);
        const GuardedSession* session = watch_.shelf().find(key);
        if (session != nullptr) return verdict_text(key, verdict_of(*session));
    }
    const std::optional<Verdict> saved = board_.find(key);
    return saved ? verdict_text(key, *saved) : unknown_verdict(key);
}

void KafkaGuard::Loop::fail_with(Error error) {
    if (!failure_) failure_ = std::move(error);
}

Shard KafkaGuard::Loop::shard_of(const char* topic, std::int32_t partition) const {
    const auto at = std::find(topics_.begin(), topics_.end(), topic);
    return {static_cast<std::uint32_t>(at - topics_.begin()), partition};
}

}  // namespace spangate
