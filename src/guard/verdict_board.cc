#include "guard/verdict_board.h"

#include <chrono>
#include <utility>

#include "guard/kafka_client.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr int poll_interval_ms = 100;

std::string_view text_of(const void* bytes, std::size_t size) {
    return bytes == nullptr ? std::string_view()
                            : std::string_view(static_cast<const char*>(bytes), size);
}

}  // namespace

VerdictBoard::~VerdictBoard() {
    is_stopping_.store(true, std::memory_order_relaxed);
    if (thread_.joinable()) thread_.join();
}

void VerdictBoard::follow(
    const KafkaConfig& config, const std::string& topic, std::int32_t partitions
) {
    thread_ = std::thread([this, config, topic, partitions] { run(config, topic, partitions); });
}

// Faults are librdkafka's to mend: it goes on trying, and until then the board is as it was.
void VerdictBoard::run(
    const KafkaConfig& config, const std::string& topic, std::int32_t partitions
) {
    const Result<GuardKafkaClient> client = open_topic_reader(config, topic, 0, partitions);
    if (!client) {
        log_warn("guard", "answers for its own partitions only: {}", client.error().message);
        return;
    }
    while (!is_stopping_.load(std::memory_order_relaxed)) {
        const GuardMessage message(rd_kafka_consumer_poll(client->get(), poll_interval_ms));
        if (message == nullptr || message->err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        take(text_of(message->key, message->key_len), text_of(message->payload, message->len));
    }
}

void VerdictBoard::take(std::string_view key, std::string_view value) {
    std::optional<SavedSession> saved;
    if (!value.empty()) {
        saved = read_session_record(value, fields_);
        if (!saved) return;  // counted where it is restored
    }
    const std::lock_guard lock(mutex_);
    const auto known = places_.find(key);
    if (known != places_.end()) {
        // Older than what is known: of a guard that was cut off.
        if (saved && saved->last_seen < known->second->verdict.last_seen) return;
        const Entries::iterator entry = known->second;
        places_.erase(known);
        entries_.erase(entry);
    }
    if (!saved) return;
    entries_.push_front({std::string(key), verdict_of(std::move(*saved))});
    places_.emplace(entries_.front().key, entries_.begin());
    if (entries_.size() <= sessions_max_) return;
    places_.erase(entries_.back().key);
    entries_.pop_back();
}

std::optional<Verdict> VerdictBoard::find(const SessionKey& key) const {
    const std::string record_key = session_record_key(key);
    const std::lock_guard lock(mutex_);
    const auto known = places_.find(record_key);
    if (known == places_.end()) return std::nullopt;
    return known->second->verdict;
}

std::size_t VerdictBoard::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

}  // namespace spangate
