// librdkafka's part.
#include <algorithm>
#include <numeric>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "simulation/kafka.h"

namespace spangate::simulation {
namespace {

constexpr std::size_t batches_in_flight_max = 5;
constexpr std::uint64_t client_batch_bytes = 1'000'000;

std::uint32_t sum(const std::vector<std::uint32_t>& batches) {
    return std::accumulate(batches.begin(), batches.end(), 0U);
}

}  // namespace

SimulatedProducer::SimulatedProducer(Kafka& kafka, std::uint32_t line, const ProducerWish& wish)
    : kafka_(kafka),
      dice_(kafka.dice_),
      line_(line),
      process_(kafka.process_),
      wish_(wish),
      partitions_(kafka.plan_.partitions) {
    kafka_.producers_.push_back(this);
    kafka_.trace_.note(
        "    line {}: a new producer{}, batches of {} bytes",
        line_,
        wish.is_one_by_one ? ", record by record" : "",
        wish.batch_bytes_max
    );
}

SimulatedProducer::~SimulatedProducer() {
    kafka_.lanes_();
    std::erase(kafka_.producers_, this);
    if (open_ > 0) kafka_.book_.fail("a producer ended with records that had no report");
}

int SimulatedProducer::produce(OutboundRecord& record, std::uint32_t topic) {
    if (topic != 0) kafka_.book_.fail("a record for a topic that the line does not have");
    Copy* const copy = kafka_.book_.find(record, "produce");
    if (copy == nullptr) return RD_KAFKA_RESP_ERR__INVALID_ARG;
    if (is_fatal_) return RD_KAFKA_RESP_ERR__FATAL;
    if (topic_error_ != 0) return topic_error_;
    if (copy->bytes.size() > kafka_.plan_.client_bytes_max) {
        copy->was_refused_alone = true;
        return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    }
    if (open_ >= kafka_.plan_.queue_records_max) return RD_KAFKA_RESP_ERR__QUEUE_FULL;
    ++open_;
    if (record.spool_entry_no != 0) window_bytes_ += copy->bytes.size();
    Partition& partition = partitions_[record.session_hash % partitions_.size()];
    partition.messages.push_back(
        {&record, copy->no, static_cast<std::uint32_t>(copy->bytes.size()), kafka_.clock_.steady()}
    );
    check_window();
    return 0;
}

// The window may go over by the record with which it is full.
void SimulatedProducer::check_window() {
    if (window_bytes_ > kafka_.plan_.window_bytes_max + kafka_.plan_.client_bytes_max) {
        kafka_.book_.fail("more of the spool is in memory than the window holds");
    }
}

void SimulatedProducer::serve(Millis /*wait*/, ProducerEvents& events) {
    kafka_.lanes_();
    for (std::uint32_t left = dice_.between(1, 6); left > 0 && !events_.empty(); --left) {
        Event event = std::move(events_.front());
        events_.erase(events_.begin());
        deliver(std::move(event), events);
    }
    if (dice_.chance(30)) kafka_.lanes_();
}

void SimulatedProducer::deliver(Event event, ProducerEvents& events) {
    if (!event.broke.empty()) {
        events.broke(event.broke);
    } else if (event.is_probe_answer) {
        events.probed(event.answer);
    } else {
        open_ -= static_cast<std::uint32_t>(event.reports.size());
        for (const DeliveryReport& told : event.reports) {
            const OutboundRecord& record = *told.record;
            if (record.spool_entry_no != 0) window_bytes_ -= record.key.size() + record.value_bytes;
        }
        const bool is_doubled = kafka_.plan_.mutant == Mutant::producer_doubles &&
                                event.reports.front().record->spool_entry_no == 0 &&
                                dice_.chance(20);
        events.reported(event.reports);
        if (is_doubled) events.reported(event.reports);
    }
}

void SimulatedProducer::purge() {
    kafka_.lanes_();
    std::vector<DeliveryReport> reports;
    for (std::uint32_t number = 0; number < partitions_.size(); ++number) {
        Partition& partition = partitions_[number];
        while (!partition.answers_due.empty() && dice_.chance(40))
            answer_batch(partition);
        const std::uint32_t in_flight = sum(partition.answers_due) + sum(partition.sent);
        leave_stragglers(number);
        for (std::uint32_t i = 0; i < partition.messages.size(); ++i) {
            const bool is_in_flight = i < in_flight;
            reports.push_back(
                {partition.messages[i].record,
                 is_in_flight ? RD_KAFKA_RESP_ERR__PURGE_INFLIGHT : RD_KAFKA_RESP_ERR__PURGE_QUEUE}
            );
        }
        partition = Partition();
    }
    const std::uint32_t way = dice_.below(3);
    if (way == 0) std::reverse(reports.begin(), reports.end());
    for (std::size_t i = reports.size(); way == 1 && i > 1; --i)
        std::swap(reports[i - 1], reports[dice_.below(static_cast<std::uint32_t>(i))]);
    while (!reports.empty()) {
        const auto count = dice_.between(1, static_cast<std::uint32_t>(reports.size()));
        Event event;
        event.reports.assign(reports.begin(), reports.begin() + count);
        reports.erase(reports.begin(), reports.begin() + count);
        if (kafka_.plan_.mutant == Mutant::gathers_unsorted) {
            for (const DeliveryReport& told : event.reports)
                told.record->delivery_no = ~told.record->delivery_no;
        }
        later_.push_back(std::move(event));
    }
}

void SimulatedProducer::leave_stragglers(std::uint32_t number) {
    const Partition& partition = partitions_[number];
    const std::uint32_t first = sum(partition.answers_due);
    const std::uint32_t count = sum(partition.sent);
    if (partition.is_stuck || count == 0 || dice_.chance(50)) return;
    Kafka::Straggler straggler{line_, number, {}};
    const std::uint32_t end = first + dice_.between(1, count);
    for (std::uint32_t i = first; i < end; ++i)
        straggler.copies.push_back(partition.messages[i].copy);
    kafka_.stragglers_.push_back(std::move(straggler));
}

void SimulatedProducer::probe(Millis timeout) {
    if (is_probed_) return;
    is_probed_ = true;
    const SteadyTime now = kafka_.clock_.steady();
    const auto timeout_ms = static_cast<std::uint32_t>(timeout.count());
    probe_deadline_ = now + timeout;
    probe_answer_at_ = now + Millis(dice_.chance(80) ? 1 : dice_.below(timeout_ms));
}

void SimulatedProducer::answer_probe() {
    const SteadyTime now = kafka_.clock_.steady();
    const bool is_reached = kafka_.is_reachable && !is_cut_off();
    if (!is_probed_ || now < (is_reached ? probe_answer_at_ : probe_deadline_)) return;
    is_probed_ = false;
    Event event;
    event.is_probe_answer = true;
    const auto& leaders = topic().has_leader;
    if (!is_reached) {
        event.answer.status = fail(ErrorCode::unavailable, "no broker answered in time");
    } else if (!topic().exists) {
        event.answer.status = fail(ErrorCode::not_found, "Kafka has no topic");
    } else if (topic().refusal == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) {
        event.answer.status = fail(ErrorCode::permission_denied, "Kafka refuses the topic");
    } else if (std::find(leaders.begin(), leaders.end(), false) != leaders.end()) {
        event.answer.status = fail(ErrorCode::conflict, "a partition has no leader");
    } else if (dice_.chance(85)) {
        event.answer.record_bytes_max = topic().batch_bytes_max;
    }
    events_.push_back(std::move(event));
}

// what goes on below ──────────────────────────────────────────────────────────────────────────────

void SimulatedProducer::move(bool is_eager) {
    answer_probe();
    while (!later_.empty() && (is_eager || is_cut_off() || dice_.chance(50))) {
        events_.push_back(std::move(later_.front()));
        later_.erase(later_.begin());
    }
    if (is_cut_off()) return;
    if (!topic().exists && kafka_.is_reachable && topic_error_ == 0 && dice_.chance(30)) {
        lose_topic(RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC);
    }
    // The next metadata says that it is there again; the failures were told long before.
    if (topic().exists && events_.empty() && later_.empty()) topic_error_ = 0;
    for (std::uint32_t number = 0; number < partitions_.size(); ++number) {
        if (partitions_[number].messages.empty()) continue;
        if (!kafka_.plan_.has_spool) expire(number);
        move_partition(number, is_eager);
    }
}

void SimulatedProducer::move_partition(std::uint32_t number, bool is_eager) {
    Partition& partition = partitions_[number];
    if (!kafka_.is_reachable || !topic().exists || !topic().has_leader[number]) return;
    for (std::uint32_t rounds = is_eager ? 50 : dice_.below(4); rounds > 0; --rounds) {
        const bool is_sent = (is_eager || dice_.chance(70)) && send_batch(partition);
        const bool is_brought = (is_eager || dice_.chance(70)) && bring_batch(number);
        const bool is_answered = !partition.answers_due.empty() && (is_eager || dice_.chance(50));
        if (is_answered) answer_batch(partition);
        if (is_eager && !is_sent && !is_brought && !is_answered) return;
    }
}

bool SimulatedProducer::send_batch(Partition& partition) {
    const std::size_t first = sum(partition.answers_due) + sum(partition.sent);
    const std::size_t batches = partition.answers_due.size() + partition.sent.size();
    if (is_fatal_ || first == partition.messages.size() || batches >= batches_in_flight_max) {
        return false;
    }
    const std::uint64_t bytes_max =
        wish_.batch_bytes_max > 0 ? wish_.batch_bytes_max : client_batch_bytes;
    const std::uint32_t records_max =
        wish_.is_one_by_one ? 1 : dice_.between(1, kafka_.plan_.batch_records_max);
    std::uint64_t bytes = 0;
    std::uint32_t count = 0;
    for (std::size_t i = first; i < partition.messages.size() && count < records_max; ++i) {
        bytes += partition.messages[i].bytes;
        if (count > 0 && bytes > bytes_max) break;
        ++count;
    }
    partition.sent.push_back(count);
    return true;
}

// The oldest batch that was sent comes to the partition's leader.
bool SimulatedProducer::bring_batch(std::uint32_t number) {
    Partition& partition = partitions_[number];
    if (partition.sent.empty() || partition.is_stuck) return false;
    const std::uint32_t count = partition.sent.front();
    const int code = judge(partition, count);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR && !kafka_.has_replicas) return false;
    partition.sent.erase(partition.sent.begin());
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        refuse_batch(partition, count, code);
        return true;
    }
    const std::uint32_t first = sum(partition.answers_due);
    const bool is_lost = kafka_.plan_.mutant == Mutant::broker_loses && dice_.chance(10);
    if (kafka_.plan_.mutant == Mutant::broker_swaps && count > 1) {
        std::swap(partition.messages[first], partition.messages[first + 1]);
    }
    for (std::uint32_t i = first; i < first + count && !is_lost; ++i) {
        (void)kafka_.book_.find(*partition.messages[i].record, "append");
        kafka_.append(line_, number, partition.messages[i].copy);
    }
    partition.answers_due.push_back(count);
    return true;
}

int SimulatedProducer::judge(const Partition& partition, std::uint32_t count) {
    if (topic().refusal != 0) return topic().refusal;
    const std::uint32_t first = sum(partition.answers_due);
    std::uint64_t bytes = 0;
    int code = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (std::uint32_t i = first; i < first + count; ++i) {
        bytes += partition.messages[i].bytes;
        if (kafka_.book_.at(partition.messages[i].copy).is_invalid) {
            code = RD_KAFKA_RESP_ERR_INVALID_RECORD;
        }
    }
    if (bytes > topic().batch_bytes_max) code = RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
    if (code != 0 && count == 1) {
        kafka_.book_.at(partition.messages[first].copy).was_refused_alone = true;
    }
    return code;
}

void SimulatedProducer::answer_batch(Partition& partition) {
    const std::uint32_t count = partition.answers_due.front();
    partition.answers_due.erase(partition.answers_due.begin());
    report(partition, count, RD_KAFKA_RESP_ERR_NO_ERROR);
}

// A broker answers in order, so what stands before it is answered first.
void SimulatedProducer::refuse_batch(Partition& partition, std::uint32_t count, int code) {
    while (!partition.answers_due.empty())
        answer_batch(partition);
    partition.is_stuck = true;
    kafka_.trace_.note(
        "      Kafka refuses a batch of {} on line {}: {}",
        count,
        line_,
        rd_kafka_err2name(static_cast<rd_kafka_resp_err_t>(code))
    );
    const bool is_told_first = dice_.chance(50);
    if (is_told_first) become_fatal("the gapless guarantee");
    report(partition, count, code);
    if (!is_told_first) become_fatal("the gapless guarantee");
}

void SimulatedProducer::become_fatal(std::string_view what) {
    if (is_fatal_ || is_cut_off()) return;
    kafka_.trace_.note("      line {}: the producer breaks: {}", line_, what);
    is_fatal_ = true;
    Event event;
    event.broke = what;
    events_.push_back(std::move(event));
}

// From the front of the partition.
void SimulatedProducer::report(Partition& partition, std::uint32_t count, int code) {
    Event event;
    for (std::uint32_t i = 0; i < count; ++i)
        event.reports.push_back({partition.messages[i].record, code});
    partition.messages.erase(partition.messages.begin(), partition.messages.begin() + count);
    kafka_.book_.mix(count);
    events_.push_back(std::move(event));
}

// Metadata says that there is no such topic: everything for it fails.
void SimulatedProducer::lose_topic(int code) {
    topic_error_ = code;
    for (std::uint32_t number = 0; number < partitions_.size(); ++number) {
        Partition& partition = partitions_[number];
        leave_stragglers(number);
        partition.answers_due.clear();
        partition.sent.clear();
        const auto count = static_cast<std::uint32_t>(partition.messages.size());
        if (count > 0) report(partition, count, code);
    }
}

// Without a spool librdkafka gives a record up after ack_timeout, wherever it is.
void SimulatedProducer::expire(std::uint32_t number) {
    Partition& partition = partitions_[number];
    const SteadyTime now = kafka_.clock_.steady();
    while (!partition.messages.empty() &&
           now - partition.messages.front().given_at >= kafka_.plan_.ack_timeout) {
        std::uint32_t count = 1;
        if (!partition.answers_due.empty()) {
            count = partition.answers_due.front();
            partition.answers_due.erase(partition.answers_due.begin());
        } else if (!partition.sent.empty()) {
            leave_stragglers(number);
            count = sum(partition.sent);
            partition.sent.clear();
        }
        report(partition, count, RD_KAFKA_RESP_ERR__MSG_TIMED_OUT);
    }
}

}  // namespace spangate::simulation
