// Single records to any topic, for the short commands: each call waits until all replicas have
// them. The same partitioner as the gateway's, so that a tombstone meets its key. One thread.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "config/config.h"

struct rd_kafka_s;

namespace spangate {

// Borrowed.
struct TopicRecord {
    std::string_view key;
    std::optional<std::string_view> value;  // nothing: a tombstone
};

class TopicWriter {
  public:
    static constexpr Millis write_timeout{15'000};

    [[nodiscard]] static Result<std::unique_ptr<TopicWriter>> connect(const KafkaConfig& config);

    ~TopicWriter();
    TopicWriter(const TopicWriter&) = delete;
    TopicWriter& operator=(const TopicWriter&) = delete;

    // permission_denied, not_found (no such topic) or unavailable when one is not, or perhaps not,
    // stored; others may be all the same.
    [[nodiscard]] Status write(const std::string& topic, std::span<const TopicRecord> records);

  private:
    explicit TopicWriter(rd_kafka_s* client) : client_(client) {}

    rd_kafka_s* client_;
};

}  // namespace spangate
