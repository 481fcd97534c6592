// Reads a topic of a few partitions from its beginning, as a consumer without a group.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

namespace spangate::testing {

struct ReadRecord {
    std::int32_t partition = 0;
    std::string key;
    std::string value;
    std::int64_t timestamp_ms = 0;
    std::map<std::string, std::string> headers;
};

class TopicReader {
  public:
    TopicReader(const std::string& brokers, const std::string& topic, std::int32_t partitions = 6) {
        std::array<char, 256> fault{};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "bootstrap.servers", brokers.c_str(), fault.data(), fault.size());
        rd_kafka_conf_set(conf, "group.id", "reader", fault.data(), fault.size());
        rd_kafka_conf_set(conf, "auto.offset.reset", "earliest", fault.data(), fault.size());
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", fault.data(), fault.size());
        rd_kafka_conf_set(conf, "log_level", "0", fault.data(), fault.size());
        client_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, fault.data(), fault.size());
        if (client_ == nullptr) throw std::runtime_error(fault.data());
        rd_kafka_poll_set_consumer(client_);
        rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(partitions);
        for (std::int32_t i = 0; i < partitions; ++i) {
            rd_kafka_topic_partition_list_add(list, topic.c_str(), i)->offset =
                RD_KAFKA_OFFSET_BEGINNING;
        }
        rd_kafka_assign(client_, list);
        rd_kafka_topic_partition_list_destroy(list);
    }

    TopicReader(const TopicReader&) = delete;
    TopicReader& operator=(const TopicReader&) = delete;

    ~TopicReader() { rd_kafka_destroy(client_); }

    // Reads until there are `count` in all, or nothing came for `quiet`.
    const std::vector<ReadRecord>& read(
        std::size_t count, std::chrono::milliseconds quiet = std::chrono::seconds(10)
    ) {
        while (records_.size() < count) {
            rd_kafka_message_t* message =
                rd_kafka_consumer_poll(client_, static_cast<int>(quiet.count()));
            if (message == nullptr) break;
            if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) records_.push_back(copy(*message));
            rd_kafka_message_destroy(message);
        }
        return records_;
    }

  private:
    static ReadRecord copy(const rd_kafka_message_t& message) {
        ReadRecord record;
        record.partition = message.partition;
        record.key.assign(static_cast<const char*>(message.key), message.key_len);
        record.value.assign(static_cast<const char*>(message.payload), message.len);
        record.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
        rd_kafka_headers_t* headers = nullptr;
        if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return record;
        }
        const char* name = nullptr;
        const void* value = nullptr;
        std::size_t bytes = 0;
        for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &bytes) ==
                                RD_KAFKA_RESP_ERR_NO_ERROR;
             ++i)
            record.headers[name] = std::string(static_cast<const char*>(value), bytes);
        return record;
    }

    rd_kafka_t* client_ = nullptr;
    std::vector<ReadRecord> records_;
};

}  // namespace spangate::testing
