#include "guard/state_reader.h"

#include <algorithm>
#include <map>
#include <optional>

#include "guard/kafka_client.h"

namespace spangate {
namespace {

constexpr int poll_interval_ms = 100;
constexpr std::uint32_t quiet_polls_max = 200;  // twenty seconds

std::string_view text_of(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(bytes), size);
}

// The sessions of a partition while its records are read.
class Gathering {
  public:
    Gathering(const SavedPlace& place, GuardCounters& counters)
        : place_(place),
          counters_(counters) {}

    void take(std::string_view key, std::string_view value) {
        if (value.empty()) {
            if (const auto known = sessions_.find(key); known != sessions_.end()) {
                sessions_.erase(known);
            }
            return;
        }
        std::optional<SavedSession> saved = read_session_record(value, fields_);
        if (!saved) {
            counters_.state_damaged.add();
            return;
        }
        if (saved->topic != place_.topic) return;
        const auto known = sessions_.find(key);
        if (known == sessions_.end()) {
            sessions_.emplace(key, std::move(*saved));
        } else if (saved->offset >= known->second.offset) {
            known->second = std::move(*saved);
        }
    }

    [[nodiscard]] SavedPartition finish() {
        SavedPartition partition;
        for (auto& [key, saved] : sessions_) {
            if (saved.last_seen < place_.seen_since) {
                partition.expired.push_back(key);
            } else {
                partition.sessions.push_back(std::move(saved));
            }
        }
        std::sort(
            partition.sessions.begin(),
            partition.sessions.end(),
            [](const SavedSession& a, const SavedSession& b) { return a.last_seen > b.last_seen; }
        );
        return partition;
    }

  private:
    const SavedPlace& place_;
    GuardCounters& counters_;
    EventFields fields_;
    std::map<std::string, SavedSession, std::less<>> sessions_;
};

}  // namespace

Result<SavedPartition> read_saved_partition(
    const KafkaConfig& config,
    const SavedPlace& place,
    GuardCounters& counters,
    const std::atomic<bool>& stop
) {
    Result<GuardKafkaClient> client =
        open_topic_reader(config, place.state_topic, place.partition, 1);
    if (!client) return tl::unexpected(std::move(client.error()));
    Gathering gathering(place, counters);
    std::uint32_t quiet_polls = 0;
    while (!stop.load(std::memory_order_relaxed)) {
        const GuardMessage message(rd_kafka_consumer_poll(client->get(), poll_interval_ms));
        if (message == nullptr) {
            if (++quiet_polls < quiet_polls_max) continue;
            return fail(
                ErrorCode::unavailable,
                "the brokers went silent before the end of " + place.state_topic
            );
        }
        quiet_polls = 0;
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                gathering.take(
                    text_of(message->key, message->key_len), text_of(message->payload, message->len)
                );
                break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                return gathering.finish();
            case RD_KAFKA_RESP_ERR__TRANSPORT:
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                break;  // librdkafka goes on trying
            default:
                return guard_kafka_failure("read " + place.state_topic, message->err);
        }
    }
    return fail(ErrorCode::shutting_down, "asked to stop");
}

}  // namespace spangate
