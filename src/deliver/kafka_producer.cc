#include "deliver/kafka_producer.h"

#include <array>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include "deliver/topic_limits.h"

namespace spangate {
namespace {

constexpr int syslog_warning = 4;

// From any of librdkafka's threads. Broker addresses and error texts, never a payload.
void on_log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    auto* source =
        client == nullptr ? nullptr : static_cast<KafkaProducerSource*>(rd_kafka_opaque(client));
    // It calls the gapless guarantee experimental, each time.
    const bool is_known = std::string_view(text).find("gapless") != std::string_view::npos;
    if (level > syslog_warning || is_known) {
        log_debug("deliver", "librdkafka {}: {}", facility, text);
        return;
    }
    if (source != nullptr && !source->may_log()) return;
    log_warn("deliver", "librdkafka {}: {}", facility, text);
}

void on_throttle(
    rd_kafka_t* client, const char* broker, std::int32_t /*id*/, int throttle_ms, void* opaque
) {
    if (throttle_ms == 0) return;
    auto* source = static_cast<KafkaProducerSource*>(opaque);
    source->throttled(broker, rd_kafka_name(client), throttle_ms);
}

// A session's partition is murmur2 of its id in every client. Under librdkafka's locks.
std::int32_t place(
    const rd_kafka_topic_t* topic,
    const void* key,
    std::size_t key_bytes,
    std::int32_t partitions_count,
    void* gate,
    void* record
) {
    static_cast<FirstBatchGate*>(gate)->meet(partitions_count);
    return rd_kafka_msg_partitioner_murmur2_random(
        topic, key, key_bytes, partitions_count, gate, record
    );
}

void add_header(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
    rd_kafka_header_add(
        headers,
        name.data(),
        static_cast<ssize_t>(name.size()),
        value.data(),
        static_cast<ssize_t>(value.size())
    );
}

// Contract §1, Record. Null: none wanted. Each costs 0.2–0.3 µs.
rd_kafka_headers_t* headers_of(const OutboundRecord& record, const KafkaConfig& config) {
    if (config.headers == "none" || record.is_evidence_key) return nullptr;
    rd_kafka_headers_t* headers = rd_kafka_headers_new(7);
    add_header(headers, "event_type", name_of(record.event_type));
    add_header(headers, "event_id", view(record.event_id));
    if (config.headers != "full") return headers;
    add_header(headers, "event_class", name_of(record.event_class));
    add_header(headers, "schema_version", "1");
    add_header(headers, "tenant_id", record.tenant_id);
    const bool is_protobuf = config.encoding == "protobuf";
    add_header(
        headers, "content_type", is_protobuf ? "application/x-protobuf" : "application/json"
    );
    if (!record.traceparent.empty()) add_header(headers, "traceparent", record.traceparent);
    return headers;
}

// Broker and topic facts of one metadata answer.
Status judge(const rd_kafka_metadata_t& metadata) {
    for (const rd_kafka_metadata_topic& topic :
         std::span(metadata.topics, static_cast<std::size_t>(metadata.topic_cnt))) {
        if (topic.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
            return fail(
                ErrorCode::not_found,
                fmt::format("Kafka has no topic {}; `spangate topics create` makes it", topic.topic)
            );
        }
        if (topic.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            return fail(
                ErrorCode::permission_denied,
                fmt::format("Kafka refuses topic {}: {}", topic.topic, rd_kafka_err2str(topic.err))
            );
        }
        for (const rd_kafka_metadata_partition& partition :
             std::span(topic.partitions, static_cast<std::size_t>(topic.partition_cnt))) {
            if (partition.leader >= 0) continue;
            return fail(
                ErrorCode::conflict,
                fmt::format("partition {} of topic {} has no leader", partition.id, topic.topic)
            );
        }
    }
    return {};
}

}  // namespace

// the source ──────────────────────────────────────────────────────────────────────────────────────

KafkaProducerSource::KafkaProducerSource(Settings settings, Metrics& metrics)
    : settings_(std::move(settings)),
      throttled_(metrics.counter("spangate_deliver_throttled_total", "Times a broker throttled us.")
      ),
      client_errors_(metrics.counter(
          "spangate_deliver_client_errors_total", "Errors that the Kafka client reported."
      )) {}

Result<std::unique_ptr<Producer>> KafkaProducerSource::open(const ProducerWish& wish) {
    Result<std::unique_ptr<KafkaProducer>> made = KafkaProducer::open(*this, wish);
    if (!made) return tl::unexpected(std::move(made.error()));
    return std::unique_ptr<Producer>(std::move(*made));
}

void KafkaProducerSource::throttled(
    std::string_view broker, std::string_view client, int throttle_ms
) {
    throttled_.add();
    if (may_log()) log_warn("deliver", "{} throttles {} for {} ms", broker, client, throttle_ms);
}

// the handle ──────────────────────────────────────────────────────────────────────────────────────

Result<std::unique_ptr<KafkaProducer>> KafkaProducer::open(
    KafkaProducerSource& source, const ProducerWish& wish
) {
    const KafkaProducerSource::Settings& settings = source.settings();
    Result<KafkaConf> conf =
        producer_settings(settings.kafka, settings.limits, settings.client_id, wish);
    if (!conf) return tl::unexpected(conf.error());
    rd_kafka_conf_set_opaque(conf->get(), &source);
    rd_kafka_conf_set_log_cb(conf->get(), on_log);
    rd_kafka_conf_set_throttle_cb(conf->get(), on_throttle);
    const Result<rd_kafka_s*> client = open_client(std::move(*conf));
    if (!client) return tl::unexpected(client.error());
    std::unique_ptr<KafkaProducer> producer(new KafkaProducer(source, *client));
    if (const Status status = producer->open_topics(); !status) {
        return tl::unexpected(status.error());
    }
    return producer;
}

KafkaProducer::KafkaProducer(KafkaProducerSource& source, rd_kafka_s* client)
    : source_(source),
      client_(client),
      queue_(rd_kafka_queue_get_main(client)) {
    if (!source_.settings().kafka.sasl.token_file.empty()) {
        if (rd_kafka_error_t* error = rd_kafka_sasl_background_callbacks_enable(client_)) {
            log_error("deliver", "no background SASL: {}", rd_kafka_error_string(error));
            rd_kafka_error_destroy(error);
        }
    }
}

Status KafkaProducer::open_topics() {
    for (const std::string& name : source_.settings().topics) {
        const auto number = static_cast<std::uint32_t>(topics_.size());
        auto gate = std::make_unique<FirstBatchGate>([this, number](OutboundRecord& record) {
            return send(record, number);
        });
        rd_kafka_topic_conf_t* conf = rd_kafka_default_topic_conf_dup(client_);
        rd_kafka_topic_conf_set_opaque(conf, gate.get());
        rd_kafka_topic_conf_set_partitioner_cb(conf, place);
        gates_.push_back(std::move(gate));
        rd_kafka_topic_t* topic = rd_kafka_topic_new(client_, name.c_str(), conf);
        if (topic == nullptr) {
            return fail(
                ErrorCode::invalid_argument,
                fmt::format("topic {}: {}", name, rd_kafka_err2str(rd_kafka_last_error()))
            );
        }
        topics_.push_back(topic);
    }
    return {};
}

KafkaProducer::~KafkaProducer() {
    if (probe_thread_.joinable()) probe_thread_.join();
    for (rd_kafka_topic_t* topic : topics_)
        rd_kafka_topic_destroy(topic);
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(client_);
}

int KafkaProducer::produce(OutboundRecord& record, std::uint32_t topic) {
    return gates_[topic]->produce(record);
}

int KafkaProducer::send(OutboundRecord& record, std::uint32_t topic) {
    std::array<rd_kafka_vu_t, 7> fields{};
    std::size_t count = 0;
    const auto next = [&](rd_kafka_vtype_t type) -> rd_kafka_vu_t& {
        fields[count].vtype = type;
        return fields[count++];
    };
    next(RD_KAFKA_VTYPE_RKT).u.rkt = topics_[topic];
    next(RD_KAFKA_VTYPE_MSGFLAGS).u.i = 0;  // neither copied nor freed: lent
    rd_kafka_vu_t& value = next(RD_KAFKA_VTYPE_VALUE);
    value.u.mem = {record.value, record.value_bytes};
    rd_kafka_vu_t& key = next(RD_KAFKA_VTYPE_KEY);
    key.u.mem = {const_cast<char*>(record.key.data()), record.key.size()};  // NOLINT: copied there
    next(RD_KAFKA_VTYPE_TIMESTAMP).u.i64 = record.timestamp_ms;
    next(RD_KAFKA_VTYPE_OPAQUE).u.ptr = &record;
    rd_kafka_headers_t* headers = headers_of(record, source_.settings().kafka);
    if (headers != nullptr) next(RD_KAFKA_VTYPE_HEADERS).u.headers = headers;
    rd_kafka_error_t* error = rd_kafka_produceva(client_, fields.data(), count);
    if (error == nullptr) return RD_KAFKA_RESP_ERR_NO_ERROR;
    const int code =
        rd_kafka_error_is_fatal(error) != 0 ? RD_KAFKA_RESP_ERR__FATAL : rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != nullptr) rd_kafka_headers_destroy(headers);
    return code;
}

void KafkaProducer::serve(Millis wait, ProducerEvents& events) {
    serve_answer(events);
    for (const auto& gate : gates_)
        gate->move_on(given_up_);
    report_given_up(events);
    int wait_ms = static_cast<int>(wait.count());
    for (int i = 0; i < events_per_serve; ++i) {
        rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, wait_ms);
        if (event == nullptr) return;
        wait_ms = 0;
        serve_event(event, events);
        rd_kafka_event_destroy(event);
    }
}

void KafkaProducer::serve_event(void* event, ProducerEvents& events) {
    switch (rd_kafka_event_type(static_cast<rd_kafka_event_t*>(event))) {
        case RD_KAFKA_EVENT_DR:
            serve_reports(event, events);
            break;
        case RD_KAFKA_EVENT_ERROR:
            serve_error(event, events);
            break;
        default:
            break;
    }
}

void KafkaProducer::serve_reports(void* event, ProducerEvents& events) {
    reports_.clear();
    auto* reports = static_cast<rd_kafka_event_t*>(event);
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(reports)) {
        auto* record = static_cast<OutboundRecord*>(message->_private);
        auto* gate = static_cast<FirstBatchGate*>(rd_kafka_topic_opaque(message->rkt));
        gate->settle(*record, message->err, given_up_);
        reports_.push_back({record, message->err});
    }
    events.reported(reports_);
    report_given_up(events);
}

void KafkaProducer::report_given_up(ProducerEvents& events) {
    if (given_up_.empty()) return;
    const std::vector<DeliveryReport> reports = std::exchange(given_up_, {});
    events.reported(reports);
}

void KafkaProducer::serve_error(void* event, ProducerEvents& events) {
    auto* error = static_cast<rd_kafka_event_t*>(event);
    source_.client_failed();
    // The event's code is that of the cause, not _FATAL.
    if (rd_kafka_event_error_is_fatal(error) != 0) {
        std::array<char, 512> what{};
        (void)rd_kafka_fatal_error(client_, what.data(), what.size());
        events.broke(what.data());
        return;
    }
    if (source_.may_log()) {
        log_warn("deliver", "Kafka client: {}", rd_kafka_event_error_string(error));
    }
}

void KafkaProducer::purge() {
    rd_kafka_purge(
        client_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING
    );
    for (const auto& gate : gates_)
        gate->purge(given_up_);
    wake();
}

// librdkafka's questions wait for their answers, so they have a thread of their own: the line's
// must go on spooling meanwhile.
void KafkaProducer::probe(Millis timeout) {
    if (is_probing_) return;
    is_probing_ = true;
    if (probe_thread_.joinable()) probe_thread_.join();  // it has answered
    probe_thread_ = std::thread([this, timeout] {
        ProbeAnswer answer = ask(timeout);
        {
            const std::lock_guard lock(answer_mutex_);
            answer_ = std::move(answer);
        }
        wake();
    });
}

ProbeAnswer KafkaProducer::ask(Millis timeout) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const rd_kafka_resp_err_t error =
        rd_kafka_metadata(client_, 0, nullptr, &metadata, static_cast<int>(timeout.count()));
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return {
            fail(
                ErrorCode::unavailable,
                fmt::format("no broker answered in time: {}", rd_kafka_err2str(error))
            ),
            0};
    }
    Status status = judge(*metadata);
    rd_kafka_metadata_destroy(metadata);
    const KafkaProducerSource::Settings& settings = source_.settings();
    if (!status || !settings.asks_for_limits) return {std::move(status), 0};
    // A topic whose limit cannot be read takes records all the same.
    const Result<std::uint64_t> limit = read_record_bytes_max(client_, settings.topics, timeout);
    if (!limit && source_.may_log()) {
        log_info("deliver", "{}: the configured bound stands", limit.error().message);
    }
    return {{}, limit.value_or(0)};
}

void KafkaProducer::serve_answer(ProducerEvents& events) {
    std::optional<ProbeAnswer> answer;
    {
        const std::lock_guard lock(answer_mutex_);
        answer.swap(answer_);
    }
    if (!answer) return;
    is_probing_ = false;
    events.probed(*answer);
}

void KafkaProducer::wake() {
    rd_kafka_queue_yield(queue_);
}

}  // namespace spangate
