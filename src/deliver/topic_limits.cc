#include "deliver/topic_limits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace spangate {
namespace {

struct DestroyEvent {
    void operator()(rd_kafka_event_t* event) const { rd_kafka_event_destroy(event); }
};

struct DestroyQueue {
    void operator()(rd_kafka_queue_t* queue) const { rd_kafka_queue_destroy(queue); }
};

struct DestroyOptions {
    void operator()(rd_kafka_AdminOptions_t* options) const {
        rd_kafka_AdminOptions_destroy(options);
    }
};

using Event = std::unique_ptr<rd_kafka_event_t, DestroyEvent>;
using Queue = std::unique_ptr<rd_kafka_queue_t, DestroyQueue>;
using Options = std::unique_ptr<rd_kafka_AdminOptions_t, DestroyOptions>;

// 0: the resource does not tell it.
std::uint64_t bytes_max_of(const rd_kafka_ConfigResource_t& resource) {
    std::size_t count = 0;
    const auto* entries = rd_kafka_ConfigResource_configs(&resource, &count);
    for (const rd_kafka_ConfigEntry_t* entry : std::span(entries, count)) {
        const char* const value = rd_kafka_ConfigEntry_value(entry);
        const bool is_wanted =
            std::string_view(rd_kafka_ConfigEntry_name(entry)) == "max.message.bytes";
        if (!is_wanted || value == nullptr) continue;
        std::uint64_t bytes = 0;
        std::from_chars(value, value + std::strlen(value), bytes);
        return bytes;
    }
    return 0;
}

Event ask(rd_kafka_t* client, const std::string& topic, int timeout_ms) {
    const Queue queue(rd_kafka_queue_new(client));
    const Options options(rd_kafka_AdminOptions_new(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS));
    std::array<char, 256> fault{};
    rd_kafka_AdminOptions_set_request_timeout(
        options.get(), timeout_ms, fault.data(), fault.size()
    );
    rd_kafka_ConfigResource_t* wanted =
        rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.c_str());
    rd_kafka_DescribeConfigs(client, &wanted, 1, options.get(), queue.get());
    rd_kafka_ConfigResource_destroy(wanted);
    constexpr int slack_ms = 200;
    return Event(rd_kafka_queue_poll(queue.get(), timeout_ms + slack_ms));
}

}  // namespace

Result<std::uint64_t> read_record_bytes_max(
    rd_kafka_s* client, const std::vector<std::string>& topics, Millis timeout
) {
    std::uint64_t least = 0;
    for (const std::string& topic : topics) {
        const Event event = ask(client, topic, static_cast<int>(timeout.count()));
        rd_kafka_resp_err_t error = RD_KAFKA_RESP_ERR__TIMED_OUT;
        std::uint64_t bytes = 0;
        if (event != nullptr) error = rd_kafka_event_error(event.get());
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
            std::size_t count = 0;
            const auto* resources = rd_kafka_DescribeConfigs_result_resources(
                rd_kafka_event_DescribeConfigs_result(event.get()), &count
            );
            if (count == 1) error = rd_kafka_ConfigResource_error(resources[0]);
            if (count == 1) bytes = bytes_max_of(*resources[0]);
        }
        if (error != RD_KAFKA_RESP_ERR_NO_ERROR || bytes == 0) {
            const bool is_refused = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
            return fail(
                is_refused ? ErrorCode::permission_denied : ErrorCode::unavailable,
                fmt::format(
                    "max.message.bytes of {} cannot be read: {}", topic, rd_kafka_err2str(error)
                )
            );
        }
        least = least == 0 ? bytes : std::min(least, bytes);
    }
    return least;
}

}  // namespace spangate
