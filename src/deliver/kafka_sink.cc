#include "deliver/kafka_sink.h"

#include <algorithm>
#include <utility>

#include <pthread.h>

#include <librdkafka/rdkafka.h>

#include "deliver/kafka_producer.h"
#include "deliver/line_texts.h"

namespace spangate {
namespace {

constexpr std::string_view room = "kafka";  // in Health
constexpr std::size_t dead_letter_line = static_cast<std::size_t>(SpoolLine::dead_letter);
constexpr std::size_t chunk_records = 128;

constexpr std::array<const char*, spool_lines_count> thread_names = {
    "kafka-operat", "kafka-detail", "kafka-evidence", "kafka-dead"};

}  // namespace

AdmissionRules AdmissionRules::stricter(const AdmissionRules& other) const {
    AdmissionRules both = other;
    for (std::size_t i = 0; i < both.is_class_required.size(); ++i)
        both.is_class_required[i] = is_class_required[i] || other.is_class_required[i];
    const bool has_two_bounds = slab_bytes_max > 0 && other.slab_bytes_max > 0;
    both.slab_bytes_max = has_two_bounds ? std::min(slab_bytes_max, other.slab_bytes_max)
                                         : std::max(slab_bytes_max, other.slab_bytes_max);
    return both;
}

Result<std::unique_ptr<KafkaSink>> KafkaSink::open(
    const KafkaSinkSettings& settings, SpoolLogs logs, const KafkaSinkParts& parts
) {
    Result<TopicTable> topics = TopicTable::make(settings.kafka, settings.has_evidence_keys);
    if (!topics) return tl::unexpected(topics.error());
    std::unique_ptr<KafkaSink> sink(new KafkaSink(settings, parts));
    sink->has_spool_ = logs[0] != nullptr;
    for (std::size_t i = 0; i < class_lines_count; ++i) {
        const LineTopics of_class(*topics, static_cast<EventClass>(i));
        Status added = sink->add_line(static_cast<SpoolLine>(i), of_class, std::move(logs[i]));
        if (!added) return tl::unexpected(std::move(added.error()));
    }
    if (parts.dead_letters != nullptr) {
        Status added = sink->add_line(
            SpoolLine::dead_letter,
            LineTopics(settings.kafka.topics.dead_letter),
            std::move(logs[dead_letter_line])
        );
        if (!added) return tl::unexpected(std::move(added.error()));
    }
    sink->tell_health();
    for (std::size_t i = 0; i < sink->lines_.size(); ++i) {
        if (sink->lines_[i] == nullptr) continue;
        sink->threads_[i] = std::thread([raw = sink.get(), i] { raw->run(i); });
    }
    return sink;
}

KafkaSink::KafkaSink(const KafkaSinkSettings& settings, const KafkaSinkParts& parts)
    : settings_(settings),
      parts_(parts) {
    admit_by(settings_.admission);
}

KafkaSink::~KafkaSink() {
    drain(parts_.clock.steady());
}

Status KafkaSink::add_line(SpoolLine line, LineTopics topics, std::unique_ptr<SpoolLog> log) {
    const bool is_dead_letter = line == SpoolLine::dead_letter;
    LineSettings made;
    made.line = line;
    made.is_required = settings_.is_required || is_dead_letter;
    // A letter may be what the spool waits for to get room back: it must have the direct way.
    made.is_always_spooled = settings_.is_always_spooled && log != nullptr && !is_dead_letter;
    made.opens_late = is_dead_letter;
    made.ack_timeout = settings_.limits.ack_timeout;
    made.headroom_bytes = settings_.headroom_bytes;
    auto source = make_source(settings_.kafka, topics, log != nullptr);
    auto& place = lines_[static_cast<std::size_t>(line)];
    place = std::make_unique<Line>(
        made,
        LineParts{
            std::move(topics),
            std::move(source),
            std::move(log),
            parts_.space,
            is_dead_letter || parts_.dead_letters == nullptr ? nullptr : this,
            is_dead_letter || !settings_.is_required ? nullptr : &parts_.listener,
            parts_.record_limits,
            &endings_,
            parts_.slabs,
            parts_.clock,
            parts_.metrics,
        }
    );
    return place->open();
}

std::unique_ptr<ProducerSource> KafkaSink::make_source(
    const KafkaConfig& config, const LineTopics& topics, bool has_spool
) const {
    KafkaProducerSource::Settings made;
    made.kafka = config;
    made.limits = settings_.limits;
    made.limits.has_spool = has_spool;
    made.client_id = settings_.client_id;
    made.topics = topics.names();
    made.asks_for_limits = settings_.asks_for_limits;
    return std::make_unique<KafkaProducerSource>(std::move(made), parts_.metrics);
}

// any lane ────────────────────────────────────────────────────────────────────────────────────────

// A record may be gone as soon as its line has it, so all are sorted first.
void KafkaSink::send(std::span<OutboundRecord* const> records) {
    std::array<std::array<OutboundRecord*, chunk_records>, class_lines_count> by_class;
    while (!records.empty()) {
        const auto chunk = records.first(std::min(records.size(), chunk_records));
        std::array<std::size_t, class_lines_count> counts{};
        for (OutboundRecord* record : chunk) {
            const auto number = static_cast<std::size_t>(record->event_class);
            by_class[number][counts[number]++] = record;
        }
        for (std::size_t i = 0; i < class_lines_count; ++i) {
            if (counts[i] > 0) lines_[i]->send(std::span(by_class[i]).first(counts[i]));
        }
        records = records.subspan(chunk.size());
    }
}

RecordSink::Refusal KafkaSink::refusal() const {
    if (is_stopping_.load(std::memory_order_relaxed)) return {line_texts::stopped, 1};
    const std::uint64_t slab_bytes_max = slab_bytes_max_.load(std::memory_order_relaxed);
    if (slab_bytes_max > 0 && parts_.slabs.bytes_out() > slab_bytes_max) {
        return {line_texts::memory_full, 1};
    }
    return refusal_of_lines();
}

RecordSink::Refusal KafkaSink::refusal_of_lines() const {
    for (std::size_t i = 0; i < class_lines_count; ++i) {
        if (!is_class_required_[i].load(std::memory_order_relaxed)) continue;
        const Refusal refusal = lines_[i]->refusal();
        if (!refusal.reason.empty()) return refusal;
    }
    return {};
}

// Readiness follows with the next step of a line.
void KafkaSink::admit_by(const AdmissionRules& rules) {
    for (std::size_t i = 0; i < class_lines_count; ++i)
        is_class_required_[i].store(rules.is_class_required[i], std::memory_order_relaxed);
    slab_bytes_max_.store(rules.slab_bytes_max, std::memory_order_relaxed);
}

// lines' threads ──────────────────────────────────────────────────────────────────────────────────

void KafkaSink::run(std::size_t line) {
    ::pthread_setname_np(::pthread_self(), thread_names[line]);
    while (!lines_[line]->is_stopped()) {
        lines_[line]->step(step_wait);
        tell_health();
    }
}

// Readiness hangs on required sinks only, and only on whether something new would be refused.
void KafkaSink::tell_health() {
    if (!is_required()) return;
    const std::lock_guard lock(health_mutex_);
    const std::string_view reason = refusal_of_lines().reason;
    if (reason == told_) return;
    told_ = reason;
    if (reason.empty()) {
        parts_.health.set_ready(room);
    } else {
        parts_.health.set_not_ready(room, reason);
    }
}

void KafkaSink::take(
    const OutboundRecord& lost, WithdrawalReason reason, std::unique_ptr<Responder> receipt
) {
    OutboundRecord* letter = parts_.dead_letters->make_dead_letter(lost, name_of(reason));
    letter->ticket = new Ticket(std::move(receipt), nullptr, Lease());  // deletes itself
    lines_[dead_letter_line]->send({&letter, 1});
}

// the rest ────────────────────────────────────────────────────────────────────────────────────────

bool KafkaSink::takes_all_classes() const {
    return std::none_of(lines_.begin(), lines_.begin() + class_lines_count, [](const auto& line) {
        return line != nullptr && line->state() == LineState::refusing;
    });
}

Status KafkaSink::rotate(const KafkaConfig& config) {
    std::array<std::unique_ptr<ProducerSource>, spool_lines_count> sources;
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (lines_[i] == nullptr) continue;
        sources[i] = make_source(config, lines_[i]->topics(), has_spool_);
        if (i > 0) continue;
        // One tells for all whether the settings are taken; it ends at once.
        const Result<std::unique_ptr<Producer>> trial = sources[i]->open({});
        if (!trial) return tl::unexpected(trial.error());
    }
    for (std::size_t i = 0; i < lines_.size(); ++i) {
        if (lines_[i] != nullptr) lines_[i]->rotate(std::move(sources[i]));
    }
    return {};
}

void KafkaSink::break_producer() {
    for (std::size_t i = 0; i < class_lines_count; ++i) {
        lines_[i]->with_producer([](Producer& producer) {
            (void)rd_kafka_test_fatal_error(
                static_cast<KafkaProducer&>(producer).handle(),  // NOLINT: this sink made it
                RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER,
                "fault drill"
            );
        });
    }
}

// Dead letters last: the others may still write some.
void KafkaSink::drain(SteadyTime deadline) {
    is_stopping_.store(true, std::memory_order_relaxed);
    for (std::size_t i = 0; i < class_lines_count; ++i) {
        if (lines_[i] != nullptr) lines_[i]->begin_stop(deadline);
    }
    for (std::size_t i = 0; i < class_lines_count; ++i)
        join(i);
    if (lines_[dead_letter_line] != nullptr) lines_[dead_letter_line]->begin_stop(deadline);
    join(dead_letter_line);
}

void KafkaSink::join(std::size_t line) {
    if (threads_[line].joinable()) threads_[line].join();
}

}  // namespace spangate
