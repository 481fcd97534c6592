#include "session/topic_reach.h"

#include <algorithm>
#include <array>

#include "session/kafka_connect.h"

namespace spangate {
namespace {

constexpr int answer_timeout_ms = 5'000;
constexpr WallNanos nanos_per_ms = 1'000'000;

}  // namespace

struct TopicReach::Client {
    KafkaHandle handle;
};

Result<std::unique_ptr<TopicReach>> TopicReach::connect(const KafkaConfig& config) {
    Result<KafkaHandle> handle = connect_reader(config);
    if (!handle) return tl::unexpected(std::move(handle.error()));
    auto client = std::make_unique<Client>(Client{std::move(*handle)});
    return std::unique_ptr<TopicReach>(new TopicReach(config, std::move(client)));
}

TopicReach::TopicReach(const KafkaConfig& config, std::unique_ptr<Client> client)
    : topics_(config.topics),
      client_(std::move(client)) {}

TopicReach::~TopicReach() = default;

Reach TopicReach::of(
    EventClass event_class,
    std::string_view tenant_id,
    std::int32_t partition,
    WallNanos received_at
) {
    if (partition < 0 || received_at <= 0) return Reach::unknown;
    const std::string topic = topic_of(event_class, tenant_id);
    const auto [place, is_new] = partitions_.try_emplace({topic, partition});
    Partition& known = place->second;
    if (is_new) known = look_at(topic, partition);
    if (known.first_offset < 0) return Reach::unknown;
    if (known.first_offset == 0) return Reach::holds;
    if (known.is_empty || received_at <= known.gone_until) return Reach::gone;
    if (received_at >= known.held_from) return Reach::holds;
    const Reach answer = ask(topic, partition, known, received_at);
    if (answer == Reach::gone) known.gone_until = received_at;
    if (answer == Reach::holds) known.held_from = received_at;
    return answer;
}

std::string TopicReach::topic_of(EventClass event_class, std::string_view tenant_id) const {
    const std::array<const std::string*, event_classes_count> names = {
        &topics_.operational, &topics_.detail, &topics_.evidence};
    std::string name = *names[static_cast<std::size_t>(event_class)];
    constexpr std::string_view placeholder = "{tenant}";
    const std::size_t at = name.find(placeholder);
    if (at != std::string::npos) name.replace(at, placeholder.size(), tenant_id);
    return name;
}

TopicReach::Partition TopicReach::look_at(const std::string& topic, std::int32_t partition) const {
    Partition found;
    std::int64_t low = -1;
    std::int64_t high = -1;
    const rd_kafka_resp_err_t error = rd_kafka_query_watermark_offsets(
        client_->handle.get(), topic.c_str(), partition, &low, &high, answer_timeout_ms
    );
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    found.first_offset = low;
    found.is_empty = low == high;
    return found;
}

// Is the first record at least as new? Then whatever was older is gone.
Reach TopicReach::ask(
    const std::string& topic, std::int32_t number, const Partition& partition, WallNanos received_at
) const {
    const KafkaPartitions asked(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_t* const one =
        rd_kafka_topic_partition_list_add(asked.get(), topic.c_str(), number);
    one->offset = std::max<WallNanos>(received_at - blur, 0) / nanos_per_ms;
    const rd_kafka_resp_err_t error =
        rd_kafka_offsets_for_times(client_->handle.get(), asked.get(), answer_timeout_ms);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || one->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return Reach::unknown;
    }
    // «No such record» (the end) means that all of them are older.
    return one->offset >= 0 && one->offset <= partition.first_offset ? Reach::gone : Reach::holds;
}

}  // namespace spangate
