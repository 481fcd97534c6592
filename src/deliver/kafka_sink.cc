#include "deliver/kafka_sink.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

namespace spangate {
namespace {

constexpr Millis probe_timeout{500};
constexpr Millis close_wait{5'000};

constexpr std::string_view room = "kafka";  // in Health
constexpr std::string_view not_reached = "Kafka has not been reached yet";
constexpr std::string_view stopped = "the gateway stopped before Kafka acknowledged";

constexpr Withdrawal stopped_withdrawal = {
    Settlement::retry_later, WithdrawalReason::shutdown, stopped, 1};

}  // namespace

Result<std::unique_ptr<KafkaSink>> KafkaSink::open(
    const KafkaSinkSettings& settings,
    WithdrawalListener& listener,
    Health& health,
    const Clock& clock,
    Metrics& metrics
) {
    Result<TopicTable> topics = TopicTable::make(settings.kafka, settings.has_evidence_keys);
    if (!topics) return tl::unexpected(topics.error());
    std::unique_ptr<KafkaSink> sink(
        new KafkaSink(settings, std::move(*topics), listener, health, clock, metrics)
    );
    Result<std::unique_ptr<KafkaProducer>> producer = KafkaProducer::open(sink->context_);
    if (!producer) return tl::unexpected(producer.error());
    sink->producer_ = std::move(*producer);
    sink->tell_health(not_reached);
    sink->thread_ = std::thread([raw = sink.get()] { raw->run(); });
    return sink;
}

KafkaSink::KafkaSink(
    const KafkaSinkSettings& settings,
    TopicTable topics,
    WithdrawalListener& listener,
    Health& health,
    const Clock& clock,
    Metrics& metrics
)
    : context_{
          settings.kafka,
          settings.limits,
          settings.client_id,
          std::move(topics),
          &metrics.counter("spangate_deliver_throttled_total", "Times a broker throttled us."),
          &metrics.counter(
              "spangate_deliver_client_errors_total", "Errors that the Kafka client reported."
          ),
          LogLimit()},
      health_(health),
      clock_(clock),
      ledger_(metrics, "kafka", settings.is_required, listener),
      circuit_(clock, not_reached),
      circuit_opened_(metrics.counter(
          "spangate_deliver_circuit_opened_total", "Times Kafka was found not to take records."
      )),
      circuit_is_open_(metrics.gauge(
          "spangate_deliver_circuit_open", "1 while records are refused because of Kafka."
      )),
      probes_failed_(metrics.counter(
          "spangate_deliver_probes_failed_total", "Probes after which the circuit stayed open."
      )),
      rebuilds_(metrics.counter(
          "spangate_deliver_producer_rebuilds_total", "Producers replaced after a fatal error."
      )),
      resent_(metrics.counter(
          "spangate_deliver_records_resent_total",
          "Records given to a new producer; some may stand in the log twice, with one event_id."
      )),
      too_large_(fmt::format(
          "a record is larger than Kafka takes (spangate's limit is {} bytes, a topic's is "
          "max.message.bytes)",
          record_bytes_max
      )),
      record_limits_(settings.record_limits) {
    circuit_is_open_.set(1);
}

KafkaSink::~KafkaSink() {
    stop();
}

// any lane ────────────────────────────────────────────────────────────────────────────────────────

void KafkaSink::send(std::span<OutboundRecord* const> records) {
    ledger_.accept(records);
    if (is_broken_.load(std::memory_order_relaxed)) {
        const std::lock_guard turn(turnstile_);
    }
    const std::shared_lock gate(gate_);
    if (is_stopping_.load(std::memory_order_relaxed)) {
        ledger_.withdraw(records, stopped_withdrawal);
        return;
    }
    if (circuit_.is_open()) {
        const Refusal refusal = circuit_.refusal();
        const std::string_view reason = refusal.reason.empty() ? not_in_time : refusal.reason;
        ledger_.withdraw(
            records,
            {Settlement::retry_later,
             WithdrawalReason::sink_refusing,
             reason,
             refusal.retry_after_s}
        );
        return;
    }
    for (OutboundRecord* record : records)
        send_one(*record);
}

void KafkaSink::send_one(OutboundRecord& record) {
    const std::optional<std::uint32_t> topic = topic_of(record);
    if (!topic) {
        withdraw_one(
            record,
            {Settlement::rejected,
             WithdrawalReason::no_topic,
             "this tenant has no Kafka topic: exporters.kafka.tenants lists neither it nor default",
             0}
        );
        return;
    }
    // The caller holds the session's stripe, so numbers rise in the order of the session.
    auto& next_no = next_delivery_no_[static_cast<std::size_t>(record.event_class)];
    record.delivery_no = next_no.fetch_add(1, std::memory_order_relaxed);
    if (is_rebuilding_) {
        hold(record);
    } else {
        offer(record, *topic);
    }
}

std::optional<std::uint32_t> KafkaSink::topic_of(const OutboundRecord& record) const {
    if (record.is_evidence_key) return context_.topics.evidence_keys();
    return context_.topics.index_of(record.event_class, record.tenant_id);
}

// With the gate held, shared or not.
void KafkaSink::offer(OutboundRecord& record, std::uint32_t topic) {
    open_count_.fetch_add(1, std::memory_order_relaxed);
    const int code = producer_->produce(record, topic);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return;  // the record may be gone already
    open_count_.fetch_sub(1, std::memory_order_relaxed);
    const DeliveryError error = delivery_error(code);
    if (error.verdict == DeliveryVerdict::resend) {
        hold(record);
        is_broken_.store(true, std::memory_order_relaxed);  // the sink's thread looks each round
    } else {
        withdraw_one(record, withdrawal_of(error));
    }
}

// Bounded by what admission leases; the limit is for the gateway's own records.
void KafkaSink::hold(OutboundRecord& record) {
    {
        const std::lock_guard lock(held_mutex_);
        if (held_.size() < held_max) {
            held_.push_back(&record);
            return;
        }
    }
    withdraw_one(
        record,
        {Settlement::retry_later,
         WithdrawalReason::sink_refusing,
         "the Kafka producer is being replaced",
         1}
    );
}

void KafkaSink::withdraw_one(OutboundRecord& record, const Withdrawal& withdrawal) {
    const std::array<OutboundRecord*, 1> records = {&record};
    ledger_.withdraw(records, withdrawal);
}

Withdrawal KafkaSink::withdrawal_of(const DeliveryError& error) const {
    if (error.verdict == DeliveryVerdict::rejected) {
        const bool is_too_large = error.reason == WithdrawalReason::too_large;
        return {
            Settlement::rejected,
            error.reason,
            is_too_large ? std::string_view(too_large_) : "Kafka refuses a record as invalid",
            0};
    }
    if (error.reason == WithdrawalReason::queue_full) {
        return {Settlement::retry_later, error.reason, "the Kafka producer's queue is full", 1};
    }
    const Refusal refusal = circuit_.refusal();
    const bool is_silent =
        error.reason == WithdrawalReason::not_acknowledged || refusal.reason.empty();
    return {
        Settlement::retry_later,
        error.reason,
        is_silent ? not_in_time : refusal.reason,
        std::max(refusal.retry_after_s, 1U)};
}

RecordSink::Refusal KafkaSink::refusal() const {
    if (is_stopping_.load(std::memory_order_relaxed)) return {stopped, 1};
    return circuit_.refusal();
}

void KafkaSink::break_producer() {
    const std::shared_lock gate(gate_);
    if (is_rebuilding_ || producer_ == nullptr) return;
    (void)rd_kafka_test_fatal_error(
        producer_->handle(), RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, "fault drill"
    );
}

// the sink's thread ───────────────────────────────────────────────────────────────────────────────

void KafkaSink::run() {
    last_progress_ = clock_.steady();
    while (!is_stopping_.load(std::memory_order_relaxed)) {
        if (is_rebuilding_) {
            advance_rebuild();
        } else {
            if (circuit_.probe_is_due()) probe();
            producer_->serve(serve_wait, *this);
            watch_progress();
            if (is_broken_.load(std::memory_order_relaxed)) broke("it takes no more records");
        }
        tell_if_idle();
    }
    close_down();
    tell_if_idle();
}

// librdkafka looks for expired records about once a second only, but clients hear at ack_timeout,
// and whoever comes back then must be refused at once: so a little before it.
void KafkaSink::watch_progress() {
    const SteadyTime now = clock_.steady();
    const Millis ack_timeout = context_.limits.ack_timeout;
    const Millis stall_limit = std::max(ack_timeout / 2, ack_timeout - 3 * serve_wait);
    if (open_count_.load(std::memory_order_relaxed) == 0) {
        last_progress_ = now;
    } else if (now - last_progress_ >= stall_limit) {
        open_circuit({});
    }
}

void KafkaSink::reported(std::span<const DeliveryReport> reports) {
    stored_.clear();
    for (const DeliveryReport& report : reports) {
        if (report.code == RD_KAFKA_RESP_ERR_NO_ERROR) {
            stored_.push_back(report.record);
        } else {
            report_failed(*report.record, report.code);
        }
    }
    open_count_.fetch_sub(static_cast<std::int64_t>(reports.size()), std::memory_order_relaxed);
    if (stored_.empty()) return;
    rebuilds_without_ack_ = 0;
    last_progress_ = clock_.steady();
    circuit_.acknowledged();
    ledger_.store(stored_);
}

void KafkaSink::report_failed(OutboundRecord& record, int code) {
    const DeliveryError error = delivery_error(code);
    if (error.verdict == DeliveryVerdict::resend) {
        if (is_stopping_.load(std::memory_order_relaxed)) {
            withdraw_one(record, stopped_withdrawal);
            return;
        }
        collected_.push_back(&record);
        if (!is_rebuilding_) broke(rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code)));
        return;
    }
    if (error.opens_circuit && error.reason == WithdrawalReason::not_acknowledged) {
        open_circuit({});
    } else if (error.opens_circuit) {
        const auto topic = topic_of(record);
        open_circuit(fmt::format(
            "Kafka refuses records for topic {}: {}",
            topic ? context_.topics.names()[*topic] : "?",
            rd_kafka_err2str(static_cast<rd_kafka_resp_err_t>(code))
        ));
    }
    withdraw_one(record, withdrawal_of(error));
}

void KafkaSink::open_circuit(std::string_view reason) {
    if (!circuit_.open(reason)) return;
    circuit_opened_.add();
    circuit_is_open_.set(1);
    const Refusal refusal = circuit_.refusal();
    tell_health(refusal.reason);
    log_warn("deliver", "{}: new requests are refused until a probe passes", refusal.reason);
}

// Readiness hangs on required sinks only.
void KafkaSink::tell_health(std::string_view reason) {
    if (!is_required()) return;
    if (reason.empty()) {
        health_.set_ready(room);
    } else {
        health_.set_not_ready(room, reason);
    }
}

void KafkaSink::probe() {
    const Status status = producer_->probe(probe_timeout);
    if (!status) {
        probes_failed_.add();
        const bool is_specific = status.error().code != ErrorCode::unavailable;
        circuit_.probe_failed(is_specific ? status.error().message : std::string_view());
        tell_health(circuit_.refusal().reason);
        if (context_.log_limit.allows()) log_warn("deliver", "{}", status.error().message);
        return;
    }
    learn_record_limits();
    if (!circuit_.probe_passed()) return;
    last_progress_ = clock_.steady();  // what is still under way gets its time again
    circuit_is_open_.set(0);
    tell_health({});
    log_info("deliver", "Kafka takes records");
}

void KafkaSink::pause(Millis duration) {
    std::unique_lock lock(idle_mutex_);
    idle_.wait_for(lock, duration, [this] { return is_stopping_.load(std::memory_order_relaxed); });
}

void KafkaSink::tell_if_idle() {
    if (ledger_.in_flight() > 0) return;
    const std::lock_guard lock(idle_mutex_);
    idle_.notify_all();
}

// Whatever is still open is withdrawn, so that nobody waits for it.
void KafkaSink::close_down() {
    std::vector<OutboundRecord*> records;
    {
        const std::lock_guard turn(turnstile_);
        const std::unique_lock gate(gate_);
        is_rebuilding_ = true;
        records = take_collected();
    }
    ledger_.withdraw(records, stopped_withdrawal);
    if (producer_ == nullptr) return;
    const SteadyTime deadline = clock_.steady() + close_wait;
    if (open_count_.load(std::memory_order_relaxed) > 0) producer_->purge();
    while (open_count_.load(std::memory_order_relaxed) > 0 && clock_.steady() < deadline)
        producer_->serve(serve_wait, *this);
    const std::int64_t left = open_count_.load(std::memory_order_relaxed);
    if (left > 0) log_error("deliver", "{} records had no report at the end", left);
    producer_.reset();
}

// the end ─────────────────────────────────────────────────────────────────────────────────────────

void KafkaSink::drain(SteadyTime deadline) {
    {
        std::unique_lock lock(idle_mutex_);
        idle_.wait_until(lock, deadline, [this] { return ledger_.in_flight() == 0; });
    }
    stop();
}

void KafkaSink::stop() {
    {
        const std::lock_guard lock(idle_mutex_);
        is_stopping_.store(true, std::memory_order_relaxed);
    }
    idle_.notify_all();
    if (thread_.joinable()) thread_.join();
}

}  // namespace spangate
