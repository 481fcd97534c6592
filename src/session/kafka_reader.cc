#include "session/kafka_reader.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "session/kafka_connect.h"

namespace spangate {
namespace {

using Handle = KafkaHandle;
using PartitionList = KafkaPartitions;
using KafkaMetadata = struct rd_kafka_metadata;  // a function has the same name

struct DestroyTopic {
    void operator()(rd_kafka_topic_t* topic) const { rd_kafka_topic_destroy(topic); }
};

struct DestroyMetadata {
    void operator()(const KafkaMetadata* metadata) const { rd_kafka_metadata_destroy(metadata); }
};

constexpr int metadata_timeout_ms = 10'000;
constexpr int offsets_timeout_ms = 5'000;
constexpr int poll_interval_ms = 100;
constexpr std::uint32_t quiet_polls_max = 300;  // half a minute
constexpr std::int64_t look_back_records = 10'000;
constexpr std::int64_t nanos_per_ms = 1'000'000;

std::vector<std::string> topics_of(const KafkaConfig& config, EventClass event_class) {
    const std::array<const std::string*, event_classes_count> names = {
        &config.topics.operational, &config.topics.detail, &config.topics.evidence};
    const std::string& name = *names[static_cast<std::size_t>(event_class)];
    constexpr std::string_view placeholder = "{tenant}";
    const std::size_t at = name.find(placeholder);
    if (at == std::string::npos) return {name};
    std::vector<std::string> topics;
    for (const std::string& tenant : config.tenants)
        topics.push_back(std::string(name).replace(at, placeholder.size(), tenant));
    return topics;
}

}  // namespace

struct KafkaReader::State {
    EventQuery query;
    Handle handle;
    std::vector<std::pair<std::string, EventClass>> topics;
    PartitionList partitions{rd_kafka_topic_partition_list_new(16)};
    std::set<std::pair<std::string, std::int32_t>> ended;  // read up to what was there
    std::uint32_t quiet_polls = 0;

    [[nodiscard]] Status add_topic(const std::string& name, bool reads_all_partitions);
    [[nodiscard]] Status start();
    void find_offsets();
    [[nodiscard]] std::int64_t near_end(const rd_kafka_topic_partition_t& partition) const;
    [[nodiscard]] bool take(const rd_kafka_message_t& message, StoredEvent& event) const;
};

Status KafkaReader::State::add_topic(const std::string& name, bool reads_all_partitions) {
    const std::unique_ptr<rd_kafka_topic_t, DestroyTopic> topic(
        rd_kafka_topic_new(handle.get(), name.c_str(), nullptr)
    );
    if (topic == nullptr) return kafka_failure("read " + name, rd_kafka_last_error());
    const KafkaMetadata* found = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(handle.get(), 0, topic.get(), &found, metadata_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_failure("read " + name, error);
    const std::unique_ptr<const KafkaMetadata, DestroyMetadata> metadata(found);
    const rd_kafka_metadata_topic& facts = metadata->topics[0];
    if (facts.err != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_failure("read " + name, facts.err);
    std::int32_t first = 0;
    std::int32_t last = facts.partition_cnt - 1;
    if (!query.session_id.empty() && !reads_all_partitions) {
        first = last = rd_kafka_msg_partitioner_murmur2(
            topic.get(),
            query.session_id.data(),
            query.session_id.size(),
            facts.partition_cnt,
            nullptr,
            nullptr
        );
    }
    for (std::int32_t partition = first; partition <= last; ++partition)
        rd_kafka_topic_partition_list_add(partitions.get(), name.c_str(), partition);
    return {};
}

Status KafkaReader::State::start() {
    const bool wants_new_only = query.follows && !query.since;
    for (int i = 0; i < partitions->cnt; ++i)
        partitions->elems[i].offset =
            wants_new_only ? RD_KAFKA_OFFSET_END : RD_KAFKA_OFFSET_BEGINNING;
    if (query.since) find_offsets();
    const rd_kafka_resp_err_t error = rd_kafka_assign(handle.get(), partitions.get());
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return kafka_failure("read the topics", error);
    return {};
}

// The dev broker answers «no such record» to every time: so the newest records are looked through.
std::int64_t KafkaReader::State::near_end(const rd_kafka_topic_partition_t& partition) const {
    std::int64_t low = 0;
    std::int64_t high = 0;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        handle.get(), partition.topic, partition.partition, &low, &high, offsets_timeout_ms
    );
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return RD_KAFKA_OFFSET_END;
    return std::max(low, high - look_back_records);
}

// Leaves «from the beginning» where the broker does not know offsets by time.
void KafkaReader::State::find_offsets() {
    const PartitionList asked(rd_kafka_topic_partition_list_copy(partitions.get()));
    for (int i = 0; i < asked->cnt; ++i)
        asked->elems[i].offset = *query.since / nanos_per_ms;
    const rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(handle.get(), asked.get(), offsets_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    for (int i = 0; i < asked->cnt; ++i) {
        const rd_kafka_topic_partition_t& found = asked->elems[i];
        if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        partitions->elems[i].offset =
            found.offset == RD_KAFKA_OFFSET_END ? near_end(found) : found.offset;
    }
}

bool KafkaReader::State::take(const rd_kafka_message_t& message, StoredEvent& event) const {
    if (query.since) {
        const std::int64_t at_ms = rd_kafka_message_timestamp(&message, nullptr);
        if (at_ms >= 0 && at_ms < *query.since / nanos_per_ms) return false;
    }
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    if (!query.session_id.empty() && key != query.session_id) return false;
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    for (const auto& [name, event_class] : topics) {
        if (name == topic) event.event_class = event_class;
    }
    event.value.assign(static_cast<const char*>(message.payload), message.len);
    event.is_json = event.value.starts_with('{');
    event.received_at = kafka_timestamp(message);
    event.partition = message.partition;
    return true;
}

KafkaReader::KafkaReader(std::unique_ptr<State> state) : state_(std::move(state)) {}

KafkaReader::~KafkaReader() = default;

Result<std::unique_ptr<KafkaReader>> KafkaReader::open(
    const KafkaConfig& config, EventQuery query, bool reads_all_partitions
) {
    auto state = std::make_unique<State>();
    state->query = std::move(query);
    Result<Handle> handle = connect_reader(config);
    if (!handle) return tl::unexpected(std::move(handle.error()));
    state->handle = std::move(*handle);
    for (const EventClass event_class : state->query.classes) {
        for (const std::string& topic : topics_of(config, event_class)) {
            if (Status added = state->add_topic(topic, reads_all_partitions); !added) {
                return tl::unexpected(std::move(added.error()));
            }
            state->topics.emplace_back(topic, event_class);
        }
    }
    if (Status started = state->start(); !started) {
        return tl::unexpected(std::move(started.error()));
    }
    return std::unique_ptr<KafkaReader>(new KafkaReader(std::move(state)));
}

Result<ReadState> KafkaReader::next(StoredEvent& event) {
    const auto partitions_count = static_cast<std::size_t>(state_->partitions->cnt);
    while (true) {
        if (!state_->query.follows && state_->ended.size() == partitions_count) {
            return ReadState::end;
        }
        const std::unique_ptr<rd_kafka_message_t, DestroyKafkaMessage> message(
            rd_kafka_consumer_poll(state_->handle.get(), poll_interval_ms)
        );
        if (message == nullptr) {
            if (!state_->query.follows && ++state_->quiet_polls == quiet_polls_max) {
                return fail(ErrorCode::unavailable, "the brokers went silent before the end");
            }
            return ReadState::nothing_yet;
        }
        state_->quiet_polls = 0;
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                if (state_->take(*message, event)) return ReadState::event;
                break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                state_->ended.emplace(rd_kafka_topic_name(message->rkt), message->partition);
                break;
            case RD_KAFKA_RESP_ERR__TRANSPORT:
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                // librdkafka goes on trying.
                return ReadState::nothing_yet;
            default:
                return kafka_failure("read on", message->err);
        }
    }
}

std::uint64_t KafkaReader::damaged() const {
    return 0;
}

}  // namespace spangate
