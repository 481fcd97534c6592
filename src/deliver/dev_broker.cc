#include "deliver/dev_broker.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#include "observe/log.h"

namespace spangate {
namespace {

void on_log(const rd_kafka_t* /*client*/, int /*level*/, const char* facility, const char* text) {
    log_debug("dev-broker", "{}: {}", facility, text);
}

}  // namespace

Result<std::unique_ptr<DevBroker>> DevBroker::start(
    std::span<const std::string> topics, std::uint32_t partitions
) {
    std::array<char, 512> fault{};
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set(conf, "test.mock.num.brokers", "1", fault.data(), fault.size());
    rd_kafka_t* client = rd_kafka_new(RD_KAFKA_PRODUCER, conf, fault.data(), fault.size());
    if (client == nullptr) {
        rd_kafka_conf_destroy(conf);
        return fail(ErrorCode::io, fmt::format("the dev broker did not start: {}", fault.data()));
    }
    std::unique_ptr<DevBroker> broker(new DevBroker(client, rd_kafka_handle_mock_cluster(client)));
    for (const std::string& topic : topics) {
        const rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(
            broker->cluster_, topic.c_str(), static_cast<int>(partitions), 1
        );
        if (error == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        return fail(
            ErrorCode::invalid_argument,
            fmt::format("the dev broker refuses topic {}: {}", topic, rd_kafka_err2str(error))
        );
    }
    return broker;
}

DevBroker::~DevBroker() {
    rd_kafka_destroy(client_);
}

std::string DevBroker::bootstrap() const {
    return rd_kafka_mock_cluster_bootstraps(cluster_);
}

}  // namespace spangate
