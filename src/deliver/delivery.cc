#include "deliver/delivery.h"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "base/check.h"

namespace spangate {
namespace {

constexpr std::size_t epoch_digits = 13;  // milliseconds until the year 2286
constexpr std::size_t seq_characters = 20;

// `value` right-aligned in `width` characters at `out`, `filler` on its left.
void write_decimal(std::uint64_t value, char filler, std::size_t width, char* out) {
    std::array<char, 20> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    const auto count = static_cast<std::size_t>(end - digits.data());
    SPANGATE_CHECK(count <= width);
    std::memset(out, filler, width - count);
    std::memcpy(out + (width - count), digits.data(), count);
}

void write_fixed64(std::uint64_t value, char* out) {
    for (std::size_t i = 0; i < sizeof value; ++i)
        out[i] = static_cast<char>(value >> (8 * i));
}

}  // namespace

Delivery::Delivery(
    const DeliverySettings& settings,
    std::vector<RecordSink*> sinks,
    GapBook& gaps,
    GapWriter* gap_writer,
    const Clock& clock,
    Metrics& metrics
)
    : settings_(settings),
      sinks_(std::move(sinks)),
      gaps_(gaps),
      gap_writer_(gap_writer),
      clock_(clock),
      events_(metrics.counter("spangate_deliver_events_total", "Events that got their number.")),
      sessions_forgotten_(metrics.counter(
          "spangate_deliver_sessions_forgotten_total",
          "Session counters forgotten for room; the session's next event starts a new epoch."
      )),
      sessions_(metrics.gauge("spangate_deliver_sessions", "Session counters kept.")) {
    SPANGATE_CHECK(!sinks_.empty());
    for (const RecordSink* sink : sinks_)
        required_count_ += sink->is_required() ? 1 : 0;
    const std::size_t counters_max = (settings_.sessions_max + stripes_count - 1) / stripes_count;
    for (std::size_t i = 0; i < stripes_count; ++i)
        stripes_.push_back(std::make_unique<Stripe>(counters_max));
}

void Delivery::deliver(RecordBatch batch) {
    const Run records = batch.records;
    for (std::size_t from = 0; from < records.size();) {
        std::size_t to = from + 1;
        while (to < records.size() && records[to]->session_hash == records[from]->session_hash)
            ++to;
        deliver_run(records.subspan(from, to - from));
        from = to;
    }
}

void Delivery::deliver_run(Run run) {
    Stripe& stripe = stripe_of(run.front()->session_hash);
    // Per run, not per span. Nothing below waits: sinks take at once and settle later.
    const std::lock_guard lock(stripe.mutex);
    number(run, counter_of(stripe, run.front()->session_hash));
    hand_over(run);
}

SessionCounter& Delivery::counter_of(Stripe& stripe, std::uint64_t session_hash) {
    if (SessionCounter* counter = stripe.counters.find(session_hash)) return *counter;
    const std::uint64_t forgotten = stripe.counters.forgotten_count();
    const auto wall_ms = static_cast<std::uint64_t>(clock_.wall_nanos() / 1'000'000);
    SessionCounter* counter = stripe.counters.add(
        session_hash, wall_ms, [this](std::uint64_t hash) { return gaps_.concerns(hash); }
    );
    if (stripe.counters.forgotten_count() == forgotten) {
        sessions_.add(1);
    } else {
        sessions_forgotten_.add();
    }
    return *counter;
}

void Delivery::number(Run run, SessionCounter& counter) const {
    for (OutboundRecord* record : run) {
        if (record->is_evidence_key) continue;  // no event: it has no number
        if (record->starts_event) {
            record->gateway_seq = counter.next_seq++;
            events_.add();
        } else {
            // The rest of an event; its first record stands before it, in this run.
            record->gateway_seq = counter.next_seq - 1;
        }
        record->gateway_epoch = counter.epoch_ms;
        write_slots(*record);
    }
}

void Delivery::write_slots(OutboundRecord& record) const {
    const bool is_decimal = settings_.slots == SlotForm::decimal;
    if (record.epoch_offset != 0) {
        char* const at = record.value + record.epoch_offset;
        SPANGATE_DCHECK(
            record.epoch_offset + (is_decimal ? epoch_digits : 8) <= record.value_bytes
        );
        if (is_decimal) {
            write_decimal(record.gateway_epoch, '0', epoch_digits, at);
        } else {
            write_fixed64(record.gateway_epoch, at);
        }
    }
    if (record.seq_offset != 0) {
        char* const at = record.value + record.seq_offset;
        SPANGATE_DCHECK(
            record.seq_offset + (is_decimal ? seq_characters : 8) <= record.value_bytes
        );
        if (is_decimal) {
            write_decimal(record.gateway_seq, ' ', seq_characters, at);
        } else {
            write_fixed64(record.gateway_seq, at);
        }
    }
}

// All holds are taken before the first sink may settle one.
void Delivery::hand_over(Run run) {
    const auto sinks_count = static_cast<std::uint32_t>(sinks_.size());
    for (std::size_t i = 0; i < run.size();) {
        Ticket* const ticket = run[i]->ticket;
        std::uint32_t records = 0;
        for (; i < run.size() && run[i]->ticket == ticket; ++i, ++records)
            run[i]->sinks_open.store(sinks_count, std::memory_order_relaxed);
        if (ticket == nullptr) continue;
        if (required_count_ > 1) ticket->hold(records * (required_count_ - 1));
        // Without a required sink nothing is waited for.
        if (required_count_ == 0) ticket->settle(Settlement::stored, {}, records);
    }
    for (RecordSink* sink : sinks_)
        sink->send(run);
}

RecordSink::Refusal Delivery::refusal() const {
    for (const RecordSink* sink : sinks_) {
        if (!sink->is_required()) continue;
        const RecordSink::Refusal refusal = sink->refusal();
        if (!refusal.reason.empty()) return refusal;
    }
    return {};
}

void Delivery::tick() {
    if (gap_writer_ == nullptr || !gaps_.has_pending() || !refusal().reason.empty()) return;
    for (Gap& gap : gaps_.take(settings_.gaps_per_tick_max))
        write_gap(std::move(gap));
}

// A gap is told in the epoch in which its numbers were given, by a number of that epoch.
void Delivery::write_gap(Gap gap) {
    Stripe& stripe = stripe_of(gap.session_hash);
    const std::lock_guard lock(stripe.mutex);
    SessionCounter* counter = stripe.counters.find(gap.session_hash);
    if (counter == nullptr || counter->epoch_ms != gap.epoch) {
        gaps_.lost(gap);
        return;
    }
    const GapNotice notice{
        {gap.tenant_id, gap.session_id}, gap.epoch, gap.seq_from, gap.seq_to, name_of(gap.reason)};
    OutboundRecord* record = gap_writer_->make_gap(notice);
    if (record == nullptr) {
        gaps_.put_back(std::move(gap));
        return;
    }
    const std::array<OutboundRecord*, 1> run = {record};
    record->starts_event = true;
    record->session_hash = gap.session_hash;
    record->ticket = nullptr;
    number(run, *counter);
    gaps_.under_way(std::move(gap), *record, required_count_);
    hand_over(run);
}

void Delivery::drain(SteadyTime deadline) {
    for (RecordSink* sink : sinks_)
        sink->drain(deadline);
}

}  // namespace spangate
