// Clients: each session sends on when the former request was answered, and repeats what was refused
// with the same event ids. The lane's part, numbers and tickets, is here too.
#include <algorithm>
#include <utility>

#include "simulation/simulation.h"

namespace spangate::simulation {
namespace {

// What an event is does not depend on when it is sent.
std::uint64_t nature_of(const Plan& plan, std::uint32_t session, std::uint32_t event) {
    return Dice(plan.seed * 1'000'003 + session * 10'007ULL + event).next();
}

}  // namespace

class Simulation::Answer final : public Responder {
  public:
    Answer(Simulation& simulation, std::size_t request)
        : simulation_(simulation),
          request_(request) {}

    void respond(const Outcome& outcome) override { simulation_.answered(request_, outcome); }

  private:
    Simulation& simulation_;
    const std::size_t request_;
};

void Simulation::act_as_clients(std::uint32_t percent) {
    if (!is_alive_ || is_stopping_ || are_lanes_busy_) return;
    are_lanes_busy_ = true;
    for (std::uint32_t session = 0; session < plan_.sessions; ++session) {
        if (dice_.chance(percent)) (void)send_something(session);
    }
    are_lanes_busy_ = false;
}

// A repeat comes before anything new; who waits for answers has at most one of both.
bool Simulation::send_something(std::uint32_t number) {
    Session& session = sessions_[number];
    if (session.under_way >= plan_.window) return false;
    const auto due =
        std::find_if(session.repeats.begin(), session.repeats.end(), [this](const auto& repeat) {
            return repeat.first <= clock_.steady();
        });
    if (due != session.repeats.end()) {
        std::vector<std::uint32_t> events = std::move(due->second);
        session.repeats.erase(due);
        send(number, std::move(events));
        return true;
    }
    if (is_quiet_ || session.under_way + session.repeats.size() >= plan_.window) return false;
    std::vector<std::uint32_t> events;
    for (std::uint32_t count = dice_.between(1, 3); count > 0; --count)
        events.push_back(session.next_event++);
    send(number, std::move(events));
    return true;
}

std::string_view Simulation::refusal() const {
    for (std::uint32_t line = 0; line < plan_.class_lines; ++line) {
        const RecordSink::Refusal refusal = places_[line].line->refusal();
        if (!refusal.reason.empty()) return refusal.reason;
    }
    return {};
}

void Simulation::send(std::uint32_t number, std::vector<std::uint32_t> events) {
    if (const std::string_view reason = refusal(); !reason.empty()) {
        ++verdict_.refused;
        const auto wait = Millis(dice_.between(1, 2'000));
        trace_.note("  session {} is refused: {}", number, reason);
        sessions_[number].repeats.emplace_back(clock_.steady() + wait, std::move(events));
        return;
    }
    const std::size_t index = requests_.size();
    Request& request = requests_.emplace_back();
    request.session = number;
    request.events = std::move(events);
    request.sent_at = clock_.steady();
    request.process = process_;
    request.ticket = new Ticket(std::make_unique<Answer>(*this, index), nullptr, Lease());
    request.ticket->ref();
    ++sessions_[number].under_way;
    give(request);
}

// As the pipeline and the delivery room do it: numbers in the order of the session, then each line
// its records.
void Simulation::give(Request& request) {
    Session& session = sessions_[request.session];
    std::array<std::vector<OutboundRecord*>, spool_lines_count> records;
    for (const std::uint32_t event : request.events) {
        Book::Wish wish = wish_for(request.session, event);
        wish.seq = session.next_seq++;
        wish.group = request.events.front();
        for (std::uint32_t line = 0; line < plan_.class_lines; ++line) {
            wish.line = line;
            Copy& copy = book_.make(wish);
            copy.record.ticket = plan_.has_tickets ? request.ticket : nullptr;
            copy.must_arrive = !plan_.has_tickets;
            request.copies.push_back(copy.no);
            records[line].push_back(&copy.record);
        }
    }
    trace_.note(
        "  session {} sends event(s) {}..{} as #{:x}..#{:x}",
        request.session,
        request.events.front(),
        request.events.back(),
        request.copies.front(),
        request.copies.back()
    );
    if (plan_.has_tickets) request.ticket->hold(static_cast<std::uint32_t>(request.copies.size()));
    for (std::uint32_t line = 0; line < plan_.class_lines; ++line)
        places_[line].line->send(records[line]);
    request.ticket->settle(Settlement::stored);
}

Book::Wish Simulation::wish_for(std::uint32_t session, std::uint32_t event) const {
    Book::Wish wish;
    wish.process = process_;
    wish.session = session;
    wish.event = event;
    wish.epoch = epoch_;
    const std::uint64_t nature = nature_of(plan_, session, event);
    wish.bytes = 30 + static_cast<std::uint32_t>(nature >> 40) % 120;
    const std::uint32_t part = static_cast<std::uint32_t>(nature) % 100;
    if (are_events_plain_) return wish;
    if (part < plan_.poison_percent) {
        wish.is_invalid = true;
    } else if (part < plan_.poison_percent + plan_.large_percent) {
        wish.bytes = 200 + static_cast<std::uint32_t>(nature >> 40) % 3'000;
    }
    return wish;
}

// From the thread that settles a request's last record, or its timer.
void Simulation::answered(std::size_t number, const Outcome& outcome) {
    Request& request = requests_[number];
    request.is_answered = true;
    if (!is_alive_ || request.process != process_) return;  // nobody hears it
    Session& session = sessions_[request.session];
    --session.under_way;
    request.is_heard = true;
    trace_.note(
        "  session {} hears of #{:x}..#{:x}: {} {}",
        request.session,
        request.copies.front(),
        request.copies.back(),
        outcome.is_success ? "success" : "failure",
        outcome.message
    );
    book_.mix(outcome.is_success ? 1 : 2);
    if (outcome.is_success) {
        accept(request);
        return;
    }
    ++verdict_.refused;
    if (outcome.code != ErrorCode::unavailable) return;  // it would fail again
    const auto wait = Millis(dice_.chance(70) ? 0 : dice_.between(1, 3'000));
    session.repeats.emplace_back(clock_.steady() + wait, request.events);
}

// Success means: in Kafka, or on the disk whatever happens to the power.
void Simulation::accept(Request& request) {
    for (const std::uint32_t no : request.copies) {
        Copy& copy = book_.at(no);
        ++verdict_.accepted;
        if (!plan_.has_tickets) continue;  // accepted, and promised nothing
        copy.is_accepted = true;
        if (copy.place >= 0) continue;
        ++verdict_.spooled;
        const bool is_durable = plan_.has_spool && disk_.is_durable("/spool/", Book::marker_of(no));
        if (!is_durable) {
            book_.fail(fmt::format(
                "#{:x} was acknowledged and is neither in Kafka nor safe on the disk", no
            ));
        }
    }
}

// The timer of the receivers; and tickets that are through.
void Simulation::watch_answers() {
    const Millis patience = plan_.has_spool ? plan_.ack_timeout * 8 / 5 : plan_.ack_timeout;
    for (std::size_t i = first_open_request_; i < requests_.size(); ++i) {
        Request& request = requests_[i];
        if (request.ticket == nullptr) continue;
        if (!request.is_answered && clock_.steady() - request.sent_at >= patience) {
            request.ticket->fail({ErrorCode::unavailable, "not in time"}, 1);
        }
        const bool is_settled =
            std::all_of(request.copies.begin(), request.copies.end(), [this](std::uint32_t no) {
                return book_.at(no).is_settled();
            });
        if (!is_settled) continue;
        if (!request.is_answered)
            book_.fail("every record is settled and the client has no answer");
        let_go(request);
    }
    while (first_open_request_ < requests_.size() &&
           requests_[first_open_request_].ticket == nullptr) {
        ++first_open_request_;
    }
}

void Simulation::let_go(Request& request) {
    request.ticket->unref();
    request.ticket = nullptr;
}

}  // namespace spangate::simulation
