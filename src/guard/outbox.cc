#include "guard/outbox.h"

#include <vector>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "guard/kafka_client.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "guard";
constexpr Millis step{50};

// In a record's opaque: policy events have none, states their generation.
void* opaque_of(std::uint64_t generation) {
    return reinterpret_cast<void*>(static_cast<std::uintptr_t>(generation));  // NOLINT: a number
}

KafkaProperties properties_of(const KafkaConfig& config) {
    return {
        {"acks", "all"},
        {"enable.idempotence", "true"},
        {"partitioner", "murmur2_random"},
        {"allow.auto.create.topics", "false"},
        {"compression.codec", config.compression},
        {"linger.ms", "5"},
        {"message.timeout.ms", "0"},
        {"queue.buffering.max.kbytes", "131072"},
        {"queue.buffering.max.messages", "100000"}};
}

rd_kafka_vu_t field_of(rd_kafka_vtype_t type, std::string_view bytes) {
    rd_kafka_vu_t field{};
    field.vtype = type;
    field.u.mem = {const_cast<char*>(bytes.data()), bytes.size()};  // NOLINT: copied
    return field;
}

}  // namespace

struct Outbox::Outgoing {
    const std::string& topic;
    std::int32_t partition;
    std::string_view key;
    std::string_view value;  // its data is null for a tombstone
    WallNanos at;            // 0: now
    const std::vector<std::pair<std::string, std::string>>* headers;
    std::uint64_t generation;  // 0: a policy event
};

Result<std::unique_ptr<Outbox>> Outbox::open(
    const KafkaConfig& config, GuardCounters& counters, const std::atomic<bool>& stop
) {
    std::unique_ptr<Outbox> outbox(new Outbox(counters, stop));
    Result<GuardKafkaConf> conf = guard_kafka_conf(config, properties_of(config));
    if (!conf) return tl::unexpected(std::move(conf.error()));
    rd_kafka_conf_set_opaque(conf->get(), outbox.get());
    rd_kafka_conf_set_dr_msg_cb(conf->get(), on_report);
    Result<GuardKafkaClient> client = open_guard_client(std::move(*conf), RD_KAFKA_PRODUCER);
    if (!client) return tl::unexpected(std::move(client.error()));
    outbox->client_ = client->release();
    return outbox;
}

Outbox::~Outbox() {
    if (client_ == nullptr) return;
    (void)rd_kafka_purge(client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy(client_);
}

void Outbox::on_report(rd_kafka_s* /*client*/, const rd_kafka_message_s* message, void* opaque) {
    static_cast<Outbox*>(opaque)->take_report(*message);
}

void Outbox::take_report(const rd_kafka_message_s& message) {
    const auto generation =
        static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(message._private));  // NOLINT
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (message.err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
            message.err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) {
            return;
        }
        // It stays open: what waits for it must not go on.
        counters_.write_failures.add();
        if (failure_) return;
        failure_ = guard_kafka_failure(
                       fmt::format("write to {}", rd_kafka_topic_name(message.rkt)), message.err
        )
                       .value();
        return;
    }
    if (generation == 0) {
        --events_open_;
        counters_.policy_events.add();
        return;
    }
    const auto open = states_open_.find(generation);
    if (open == states_open_.end()) return;
    counters_.state_records.add();
    if (--open->second == 0) states_open_.erase(open);
}

void Outbox::put_event(
    const std::string& topic, std::string_view session_id, const PolicyEvent& event, WallNanos at
) {
    ++events_open_;
    put({topic, RD_KAFKA_PARTITION_UA, session_id, event.value, at, &event.headers, 0});
}

void Outbox::put_state(
    const std::string& topic,
    std::int32_t partition,
    std::string_view key,
    const std::optional<std::string>& value
) {
    ++states_open_[generation_];
    const std::string_view bytes = value ? std::string_view(*value) : std::string_view();
    put({topic, partition, key, bytes, 0, nullptr, generation_});
}

void Outbox::put(const Outgoing& record) {
    constexpr std::int64_t nanos_per_ms = 1'000'000;
    std::vector<rd_kafka_vu_t> fields;
    rd_kafka_vu_t field{};
    field.vtype = RD_KAFKA_VTYPE_TOPIC;
    field.u.cstr = record.topic.c_str();
    fields.push_back(field);
    field.vtype = RD_KAFKA_VTYPE_PARTITION;
    field.u.i32 = record.partition;
    fields.push_back(field);
    field.vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    field.u.i = RD_KAFKA_MSG_F_COPY;
    fields.push_back(field);
    field.vtype = RD_KAFKA_VTYPE_OPAQUE;
    field.u.ptr = opaque_of(record.generation);
    fields.push_back(field);
    field.vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    field.u.i64 = record.at / nanos_per_ms;
    fields.push_back(field);
    fields.push_back(field_of(RD_KAFKA_VTYPE_KEY, record.key));
    fields.push_back(field_of(RD_KAFKA_VTYPE_VALUE, record.value));
    if (record.headers != nullptr) {
        for (const auto& [name, value] : *record.headers) {
            field.vtype = RD_KAFKA_VTYPE_HEADER;
            field.u.header = {name.c_str(), value.data(), static_cast<ssize_t>(value.size())};
            fields.push_back(field);
        }
    }
    while (true) {
        rd_kafka_error_t* const error = rd_kafka_produceva(client_, fields.data(), fields.size());
        if (error == nullptr) return;
        const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
        rd_kafka_error_destroy(error);
        const bool may_wait =
            code == RD_KAFKA_RESP_ERR__QUEUE_FULL && !stop_.load(std::memory_order_relaxed);
        if (!may_wait) {
            counters_.write_failures.add();
            if (!failure_) failure_ = guard_kafka_failure("write to " + record.topic, code).value();
            return;
        }
        serve(step);
    }
}

bool Outbox::is_settled(std::uint64_t generation) const {
    return states_open_.empty() || states_open_.begin()->first > generation;
}

void Outbox::serve(Millis wait) {
    (void)rd_kafka_poll(client_, static_cast<int>(wait.count()));
}

bool Outbox::wait_for_events(Millis timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    serve(Millis{0});
    while (!has_stored_events() && !failure_ && std::chrono::steady_clock::now() < end)
        serve(step);
    return has_stored_events() && !failure_;
}

bool Outbox::wait_for(std::uint64_t generation, Millis timeout) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    serve(Millis{0});
    while (!is_settled(generation) && !failure_ && std::chrono::steady_clock::now() < end)
        serve(step);
    return is_settled(generation) && !failure_;
}

}  // namespace spangate
