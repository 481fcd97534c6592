#include "session/kafka_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
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
    using Place = std::pair<std::string, std::int32_t>;

    EventQuery query;
    Handle handle;
    std::vector<std::pair<std::string, EventClass>> topics;
    PartitionList partitions{rd_kafka_topic_partition_list_new(16)};
    std::map<Place, std::int64_t> ends;  // of partitions still to be read: behind what was there
    std::uint32_t quiet_polls = 0;
    StoredEvent packed;         // a record of several lines
    std::size_t packed_at = 0;  // its next one

    [[nodiscard]] Status add_topic(
        const std::string& name, EventClass event_class, bool reads_all_partitions
    );
    [[nodiscard]] Status start();
    void find_offsets();
    void find_ends();
    [[nodiscard]] std::int64_t near_end(const rd_kafka_topic_partition_t& partition) const;
    [[nodiscard]] bool is_over(const rd_kafka_message_t& message);
    void end_partition(const rd_kafka_message_t& message);
    [[nodiscard]] bool take(const rd_kafka_message_t& message, StoredEvent& event);
    [[nodiscard]] bool unpack(StoredEvent& event);
    [[nodiscard]] EventClass class_of(std::string_view topic) const;
    [[nodiscard]] tl::unexpected<Error> failure(std::string_view topic, rd_kafka_resp_err_t error)
        const;
};

EventClass KafkaReader::State::class_of(std::string_view topic) const {
    for (const auto& [name, event_class] : topics) {
        if (name == topic) return event_class;
    }
    return EventClass::operational;
}

// Says which class it is that cannot be read: the caller may go on without it.
tl::unexpected<Error> KafkaReader::State::failure(std::string_view topic, rd_kafka_resp_err_t error)
    const {
    return kafka_failure(
        fmt::format("read class {} (topic {})", name_of(class_of(topic)), topic), error
    );
}

Status KafkaReader::State::add_topic(
    const std::string& name, EventClass event_class, bool reads_all_partitions
) {
    topics.emplace_back(name, event_class);
    const std::unique_ptr<rd_kafka_topic_t, DestroyTopic> topic(
        rd_kafka_topic_new(handle.get(), name.c_str(), nullptr)
    );
    if (topic == nullptr) return failure(name, rd_kafka_last_error());
    const KafkaMetadata* found = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(handle.get(), 0, topic.get(), &found, metadata_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(name, error);
    const std::unique_ptr<const KafkaMetadata, DestroyMetadata> metadata(found);
    const rd_kafka_metadata_topic& facts = metadata->topics[0];
    if (facts.err != RD_KAFKA_RESP_ERR_NO_ERROR) return failure(name, facts.err);
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
    if (!query.follows) find_ends();
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

// What is there now is read, what comes meanwhile is not. Where the broker does not say, the end of
// the partition ends it, whenever that is reached.
void KafkaReader::State::find_ends() {
    const PartitionList asked(rd_kafka_topic_partition_list_copy(partitions.get()));
    for (int i = 0; i < asked->cnt; ++i)
        asked->elems[i].offset = RD_KAFKA_OFFSET_END;  // as a time: the newest
    const rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(handle.get(), asked.get(), offsets_timeout_ms);
    for (int i = 0; i < partitions->cnt; ++i) {
        const rd_kafka_topic_partition_t& partition = partitions->elems[i];
        const rd_kafka_topic_partition_t& found = asked->elems[i];
        std::int64_t end = INT64_MAX;
        const bool is_told = error == RD_KAFKA_RESP_ERR_NO_ERROR &&
                             found.err == RD_KAFKA_RESP_ERR_NO_ERROR && found.offset >= 0;
        if (is_told) end = found.offset;
        // Nothing is there, or nothing new enough.
        if (end == 0 || partition.offset == RD_KAFKA_OFFSET_END) continue;
        if (partition.offset >= 0 && partition.offset >= end) continue;
        ends.emplace(Place(partition.topic, partition.partition), end);
    }
}

// Ends the partition with the last record that was there; true for those behind it.
bool KafkaReader::State::is_over(const rd_kafka_message_t& message) {
    if (query.follows) return false;
    const auto end = ends.find({rd_kafka_topic_name(message.rkt), message.partition});
    if (end == ends.end()) return true;
    const std::int64_t behind = end->second;
    if (message.offset + 1 >= behind) end_partition(message);
    return message.offset >= behind;
}

// It may grow on: no more of it is fetched.
void KafkaReader::State::end_partition(const rd_kafka_message_t& message) {
    ends.erase({rd_kafka_topic_name(message.rkt), message.partition});
    if (query.follows || ends.empty()) return;
    const PartitionList ended(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(
        ended.get(), rd_kafka_topic_name(message.rkt), message.partition
    );
    (void)rd_kafka_pause_partitions(handle.get(), ended.get());
}

// Events of one session and class may be packed as lines of one record (contract §1): the next one.
bool KafkaReader::State::unpack(StoredEvent& event) {
    while (packed_at < packed.value.size()) {
        const std::size_t begin = packed_at;
        const std::size_t end = std::min(packed.value.find('\n', begin), packed.value.size());
        packed_at = end + 1;
        if (end == begin) continue;
        event.event_class = packed.event_class;
        event.is_json = true;
        event.value.assign(packed.value, begin, end - begin);
        event.received_at = packed.received_at;
        event.partition = packed.partition;
        event.offset = packed.offset;
        return true;
    }
    return false;
}

bool KafkaReader::State::take(const rd_kafka_message_t& message, StoredEvent& event) {
    if (query.since) {
        const std::int64_t at_ms = rd_kafka_message_timestamp(&message, nullptr);
        if (at_ms >= 0 && at_ms < *query.since / nanos_per_ms) return false;
    }
    const std::string_view key(static_cast<const char*>(message.key), message.key_len);
    if (!query.session_id.empty() && key != query.session_id) return false;
    event.event_class = class_of(rd_kafka_topic_name(message.rkt));
    event.value.assign(static_cast<const char*>(message.payload), message.len);
    event.is_json = event.value.starts_with('{');
    event.received_at = kafka_timestamp(message);
    event.partition = message.partition;
    event.offset = message.offset;
    // No newline stands within an event's JSON.
    if (!event.is_json || event.value.find('\n') == std::string::npos) return true;
    std::swap(packed, event);
    packed_at = 0;
    return unpack(event);
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
            if (Status added = state->add_topic(topic, event_class, reads_all_partitions); !added) {
                return tl::unexpected(std::move(added.error()));
            }
        }
    }
    if (Status started = state->start(); !started) {
        return tl::unexpected(std::move(started.error()));
    }
    return std::unique_ptr<KafkaReader>(new KafkaReader(std::move(state)));
}

Result<ReadState> KafkaReader::next(StoredEvent& event) {
    State& state = *state_;
    while (true) {
        if (state.unpack(event)) return ReadState::event;
        if (!state.query.follows && state.ends.empty()) return ReadState::end;
        const KafkaMessage message(rd_kafka_consumer_poll(state.handle.get(), poll_interval_ms));
        if (message == nullptr) {
            if (!state.query.follows && ++state.quiet_polls == quiet_polls_max) {
                return fail(ErrorCode::unavailable, "the brokers went silent before the end");
            }
            return ReadState::nothing_yet;
        }
        state.quiet_polls = 0;
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                if (!state.is_over(*message) && state.take(*message, event)) {
                    return ReadState::event;
                }
                break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                state.end_partition(*message);
                break;
            case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
                break;  // librdkafka looks for a coordinator, and we have no group to coordinate
            case RD_KAFKA_RESP_ERR__TRANSPORT:
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                // librdkafka goes on trying.
                return ReadState::nothing_yet;
            default:
                if (message->rkt == nullptr) return kafka_failure("read on", message->err);
                return state.failure(rd_kafka_topic_name(message->rkt), message->err);
        }
    }
}

std::uint64_t KafkaReader::damaged() const {
    return 0;
}

}  // namespace spangate
