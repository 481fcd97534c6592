#include "deliver/first_batch_gate.h"

#include <algorithm>
#include <utility>

#include <librdkafka/rdkafka.h>

#include "deliver/delivery_error.h"

namespace spangate {
namespace {

// As the client's own partitioner places it.
std::size_t partition_number(std::string_view key, std::size_t partitions_count) {
    const std::int32_t number = rd_kafka_msg_partitioner_murmur2_random(
        nullptr,
        key.data(),
        key.size(),
        static_cast<std::int32_t>(partitions_count),
        nullptr,
        nullptr
    );
    return static_cast<std::size_t>(number);
}

bool concerns_one_record(int code) {
    return delivery_error(code).verdict == DeliveryVerdict::split;
}

}  // namespace

// lanes ───────────────────────────────────────────────────────────────────────────────────────────

int FirstBatchGate::produce(OutboundRecord& record) {
    if (is_proven(record)) return send_(record);
    // Once or twice a partition and handle. The client does not wait in here, nor ask for the lock.
    const std::lock_guard lock(mutex_);
    take_count();
    if (is_proven(record)) return send_(record);
    return enter(partition_of(record), record);
}

int FirstBatchGate::enter(Partition& partition, OutboundRecord& record) {
    if (partition.refusal != 0) return partition.refusal;
    if (partition.has_one_ahead || !partition.held.empty()) {
        partition.held.push_back(&record);
        return 0;
    }
    return send_ahead(partition, record);
}

// The record may be gone afterwards.
int FirstBatchGate::send_ahead(Partition& partition, OutboundRecord& record) {
    if (&partition == &early_) early_key_ = record.key;
    const int code = send_(record);
    partition.has_one_ahead = code == 0;
    return code;
}

bool FirstBatchGate::is_proven(const OutboundRecord& record) const {
    if (are_all_proven_.load(std::memory_order_acquire)) return true;
    const Proofs* proofs = proofs_.load(std::memory_order_acquire);
    if (proofs == nullptr) return false;
    const std::size_t number = partition_number(record.key, proofs->is_proven.size());
    return proofs->is_proven[number].load(std::memory_order_acquire);
}

// partitions ──────────────────────────────────────────────────────────────────────────────────────

void FirstBatchGate::meet(std::int32_t partitions_count) {
    if (partitions_count_.load() == partitions_count) return;
    partitions_count_.store(partitions_count);
    are_all_proven_.store(false);
    has_work_.store(true);
}

FirstBatchGate::Partition& FirstBatchGate::partition_of(const OutboundRecord& record) {
    if (partitions_.empty()) return early_;
    return partitions_[partition_number(record.key, partitions_.size())];
}

// Partitions are only ever added, which moves sessions: what is held stays where it is, and the
// report of the one ahead would be looked for elsewhere.
void FirstBatchGate::take_count() {
    const auto count = static_cast<std::size_t>(std::max(partitions_count_.load(), 0));
    if (count <= partitions_.size()) return;
    const bool is_first = partitions_.empty();
    auto proofs = std::make_unique<Proofs>(count);
    for (std::size_t i = 0; i < partitions_.size(); ++i)
        proofs->is_proven[i] = tables_.back()->is_proven[i].load();
    for (Partition& partition : partitions_)
        partition.has_one_ahead = false;
    partitions_.resize(count);
    has_work_.store(true);
    if (is_first) place_early();
    proofs_.store(proofs.get(), std::memory_order_release);
    tables_.push_back(std::move(proofs));
}

void FirstBatchGate::place_early() {
    for (Partition& partition : partitions_)
        partition.refusal = early_.refusal;
    if (early_.has_one_ahead) {
        partitions_[partition_number(early_key_, partitions_.size())].has_one_ahead = true;
    }
    for (OutboundRecord* record : early_.held)
        partition_of(*record).held.push_back(record);
    early_ = {};
}

// the line's thread ───────────────────────────────────────────────────────────────────────────────

void FirstBatchGate::settle(
    const OutboundRecord& record, int code, std::vector<DeliveryReport>& given_up
) {
    if (is_proven(record)) return;
    const std::lock_guard lock(mutex_);
    take_count();
    Partition& partition = partition_of(record);
    partition.has_one_ahead = false;
    has_work_.store(true);
    const DeliveryVerdict verdict = delivery_error(code).verdict;
    if (verdict == DeliveryVerdict::stored) {
        partition.is_stored = true;
        release(partition, given_up);
    } else if (verdict == DeliveryVerdict::collect || verdict == DeliveryVerdict::rebuild) {
        give_up(partition, code, given_up);
    }
}

void FirstBatchGate::move_on(std::vector<DeliveryReport>& given_up) {
    if (!has_work_.exchange(false)) return;
    const std::lock_guard lock(mutex_);
    take_count();
    early_.refusal = 0;
    release(early_, given_up);
    for (Partition& partition : partitions_) {
        partition.refusal = 0;
        release(partition, given_up);
    }
}

// Sends what may go: all that is held, or the next one to go ahead.
void FirstBatchGate::release(Partition& partition, std::vector<DeliveryReport>& given_up) {
    auto next = partition.held.begin();
    while (next != partition.held.end() && !partition.has_one_ahead) {
        const int code = partition.is_stored ? send_(**next) : send_ahead(partition, **next);
        if (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            has_work_.store(true);
            break;
        }
        if (code != 0 && !concerns_one_record(code)) {
            partition.held.erase(partition.held.begin(), next);
            give_up(partition, code, given_up);
            return;
        }
        if (code != 0) given_up.push_back({*next, code});
        ++next;
    }
    partition.held.erase(partition.held.begin(), next);
    if (partition.is_stored && partition.held.empty()) prove(partition);
}

// The refusal keeps younger records back until the line has heard of the older ones.
void FirstBatchGate::give_up(
    Partition& partition, int code, std::vector<DeliveryReport>& given_up
) {
    for (OutboundRecord* record : partition.held)
        given_up.push_back({record, code});
    partition.held.clear();
    partition.refusal = code;
    partition.is_stored = false;
    has_work_.store(true);
}

// What was held has been sent, so whoever sees this comes behind it.
void FirstBatchGate::prove(Partition& partition) {
    if (partitions_.empty()) return;
    const auto number = static_cast<std::size_t>(&partition - partitions_.data());
    tables_.back()->is_proven[number].store(true, std::memory_order_release);
    partition.is_stored = false;
    if (++proven_count_ < partitions_.size()) return;
    are_all_proven_.store(true);
    // More were met meanwhile: whichever of the two stores comes last says no.
    if (partitions_count_.load() != static_cast<std::int32_t>(partitions_.size())) {
        are_all_proven_.store(false);
    }
}

void FirstBatchGate::purge(std::vector<DeliveryReport>& given_up) {
    const std::lock_guard lock(mutex_);
    give_up(early_, RD_KAFKA_RESP_ERR__PURGE_QUEUE, given_up);
    for (Partition& partition : partitions_)
        give_up(partition, RD_KAFKA_RESP_ERR__PURGE_QUEUE, given_up);
}

}  // namespace spangate
