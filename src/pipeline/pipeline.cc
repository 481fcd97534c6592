#include "pipeline/pipeline.h"

#include <utility>

namespace spangate {
namespace {

// What a request's records hold in slabs counts this many times: Kafka's client keeps its own
// structures beside every borrowed record until it is acknowledged.
constexpr std::uint64_t in_flight_factor = 2;

}  // namespace

Pipeline::Rooms::Rooms(const PipelineShared& shared, std::shared_ptr<const Rules> current)
    : rules(std::move(current)),
      interpreter(
          rules->interpret,
          {rules->conventions, rules->prices, rules->identity.gateway_id},
          shared.hash_key,
          shared.sessions,
          shared.usage,
          shared.metrics
      ),
      redactor(
          rules->redact, rules->route.evidence, rules->redaction, shared.hash_key, shared.metrics
      ),
      router(rules->route, shared.encoding, rules->identity, shared.slabs, shared.metrics) {
    redactor.send_evidence(rules->evidence_keys, shared.record_limits);
}

Pipeline::Pipeline(const PipelineShared& shared) : shared_(shared), decoder_(shared.limits) {
    follow_rules();
}

void Pipeline::take(RawRequest&& request) {
    Ticket& ticket = *request.ticket;
    if (ticket.is_answered()) {  // waited longer than ack_timeout: the client will come back
        ticket.settle(Settlement::stored);
        return;
    }
    Result<DecodedItems> decoded = decoder_.decode(request, arena_);
    if (!decoded) {
        ticket.fail(std::move(decoded.error()));
        ticket.settle(Settlement::stored);
        return;
    }
    ItemCounts counts;
    counts.received = decoded->spans.size() + decoded->rejected;
    counts.rejected = decoded->rejected;
    if (!ticket.set_counts(counts)) {
        ticket.settle(Settlement::stored);
        return;
    }
    shared_.ledger.received(request.signal, counts.received);
    if (decoded->rejected > 0) ticket.explain_rejected(decoded->rejected_why);
    spans_ += decoded->spans.size();
    bytes_ += request.body.size();
    counts_.push_back(counts);
    gathered_.push_back({std::move(request), decoded->spans, std::move(decoded->keep_alive)});
}

void Pipeline::walk() {
    follow_rules();
    std::vector<Ticket*> tickets;
    tickets.reserve(gathered_.size());
    for (const DecodedRequest& request : gathered_)
        tickets.push_back(request.raw.ticket);
    {
        EventBatch events = rooms_->interpreter.interpret(rooms_->rules->enricher.enrich(SpanBatch{
            &arena_, std::exchange(gathered_, {})}));
        count_drops(events, tickets);
        const ReleasedBatch released = rooms_->redactor.redact(std::move(events));
        const RecordBatch records = rooms_->router.route(released);
        for (Ticket* ticket : tickets) {
            ticket->lease().shrink_to(rooms_->router.encoded_bytes(*ticket) * in_flight_factor);
        }
        shared_.delivery.deliver(records);
    }  // bodies and parsers go here, before the clients hear and send more
    arena_.reset();
    counts_.clear();
    spans_ = bytes_ = 0;
    for (Ticket* ticket : tickets)
        ticket->settle(Settlement::stored);
}

void Pipeline::follow_rules() {
    std::shared_ptr<const Rules> current = shared_.rules.load();
    if (rooms_ == nullptr || rooms_->rules != current) {
        rooms_ = std::make_unique<Rooms>(shared_, std::move(current));
    }
}

void Pipeline::count_drops(const EventBatch& events, const std::vector<Ticket*>& tickets) {
    for (std::size_t i = 0; i < tickets.size(); ++i) {
        ItemCounts& counts = counts_[i];
        counts.dropped_other = events.outcomes[i].dropped_other;
        counts.dropped_partial = events.outcomes[i].dropped_partial;
        counts.dropped_duplicate = events.outcomes[i].dropped_duplicate;
        // A request answered meanwhile was refused whole; its records go on and tell themselves.
        static_cast<void>(tickets[i]->set_counts(counts));
    }
}

}  // namespace spangate
