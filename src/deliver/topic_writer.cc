#include "deliver/topic_writer.h"

#include <array>
#include <chrono>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "deliver/kafka_settings.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr int poll_ms = 50;

void on_log(const rd_kafka_t* /*client*/, int /*level*/, const char* facility, const char* text) {
    log_debug("deliver", "librdkafka {}: {}", facility, text);
}

// What becomes of the records under way.
struct Reports {
    std::size_t open = 0;
    rd_kafka_resp_err_t first_error = RD_KAFKA_RESP_ERR_NO_ERROR;

    void take(rd_kafka_resp_err_t error) {
        --open;
        if (first_error == RD_KAFKA_RESP_ERR_NO_ERROR) first_error = error;
    }
};

rd_kafka_resp_err_t produce(
    rd_kafka_t* client, const std::string& topic, const TopicRecord& record, Reports& reports
) {
    const std::string_view value = record.value.value_or(std::string_view());
    std::array<rd_kafka_vu_t, 5> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    fields[0].u.cstr = topic.c_str();
    fields[1].vtype = RD_KAFKA_VTYPE_KEY;
    fields[1].u.mem = {const_cast<char*>(record.key.data()), record.key.size()};  // NOLINT: copied
    fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[2].u.i = RD_KAFKA_MSG_F_COPY;
    fields[3].vtype = RD_KAFKA_VTYPE_VALUE;
    fields[3].u.mem = {nullptr, 0};
    if (record.value) {
        fields[3].u.mem = {const_cast<char*>(value.data()), value.size()};  // NOLINT: copied
    }
    fields[4].vtype = RD_KAFKA_VTYPE_OPAQUE;
    fields[4].u.ptr = &reports;
    rd_kafka_error_t* const error = rd_kafka_produceva(client, fields.data(), fields.size());
    if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
    const rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    return code;
}

Status failed(const std::string& topic, rd_kafka_resp_err_t error) {
    ErrorCode code = ErrorCode::unavailable;
    switch (error) {
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED:
        case RD_KAFKA_RESP_ERR__AUTHENTICATION:
            code = ErrorCode::permission_denied;
            break;
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
            code = ErrorCode::not_found;
            break;
        default:
            break;
    }
    return fail(code, fmt::format("cannot write to {}: {}", topic, rd_kafka_err2str(error)));
}

}  // namespace

Result<std::unique_ptr<TopicWriter>> TopicWriter::connect(const KafkaConfig& config) {
    ProducerLimits limits;
    limits.ack_timeout = write_timeout;
    Result<KafkaConf> conf = producer_settings(config, limits, "spangate");
    if (!conf) return tl::unexpected(conf.error());
    rd_kafka_conf_set_log_cb(conf->get(), on_log);
    const Result<rd_kafka_s*> client = open_client(std::move(*conf));
    if (!client) return tl::unexpected(client.error());
    return std::unique_ptr<TopicWriter>(new TopicWriter(*client));
}

TopicWriter::~TopicWriter() {
    rd_kafka_destroy(client_);
}

Status TopicWriter::write(const std::string& topic, std::span<const TopicRecord> records) {
    Reports reports;
    rd_kafka_resp_err_t refused = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (const TopicRecord& record : records) {
        refused = produce(client_, topic, record, reports);
        if (refused != RD_KAFKA_RESP_ERR_NO_ERROR) break;
        ++reports.open;
    }
    // Every record expires after write_timeout, so that a report comes for each; until then
    // `reports` must live.
    rd_kafka_queue_t* const queue = rd_kafka_queue_get_main(client_);
    while (reports.open > 0) {
        rd_kafka_event_t* const event = rd_kafka_queue_poll(queue, poll_ms);
        if (event == nullptr) continue;
        if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
            while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event))
                static_cast<Reports*>(message->_private)->take(message->err);
        }
        rd_kafka_event_destroy(event);
    }
    rd_kafka_queue_destroy(queue);
    if (refused != RD_KAFKA_RESP_ERR_NO_ERROR) return failed(topic, refused);
    if (reports.first_error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return failed(topic, reports.first_error);
    }
    return {};
}

}  // namespace spangate
