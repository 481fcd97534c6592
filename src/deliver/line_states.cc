// The line's states: one function for what is done in each, one for each way into it.
#include <algorithm>
#include <utility>

#include "deliver/line.h"
#include "deliver/line_texts.h"

namespace spangate {

void Line::step(Millis wait) {
    if (is_stopped()) return;
    open_.advance(clock_.steady());
    settle_letters();
    bury_refused();
    watch_stop();
    switch (state()) {
        case LineState::direct:
            run_direct(wait);
            break;
        case LineState::collecting:
            run_collecting(wait);
            break;
        case LineState::spooling:
            run_spooling(wait);
            break;
        case LineState::draining:
            run_draining(wait);
            break;
        case LineState::splitting:
            run_splitting(wait);
            break;
        case LineState::refusing:
            run_refusing(wait);
            break;
    }
    tell_gauges();
}

void Line::enter(LineState state) {
    const auto number = static_cast<std::size_t>(state);
    if (state != this->state()) numbers_.transitions[number]->add();
    state_.store(state, std::memory_order_relaxed);
    numbers_.state.set(static_cast<std::int64_t>(number));
    log_debug("deliver", "{}: {}", name_, name_of(state));
}

void Line::set_path(LanePath path) {
    const auto closed = gate_.close();
    path_ = path;
}

// direct ──────────────────────────────────────────────────────────────────────────────────────────

void Line::run_direct(Millis wait) {
    serve(wait);
    if (state() != LineState::direct) return;  // a report refused on behalf of all
    note_diverted();
    if (fault_.any()) {
        collect();
    } else if (is_stalled() && log_ == nullptr) {
        refuse({});
    } else if (is_stalled()) {
        fault_.asks_to_wait = true;
        collect();
    } else if (fault_.is_flooded || has_rotation()) {
        collect_gently();
    }
}

// What the log held has been handed to the producer whole; `first` and what waits follow.
void Line::go_direct(std::vector<OutboundRecord*> first) {
    const auto closed = gate_.close();
    const bool is_refusing = circuit_.is_open();
    path_ = is_refusing ? LanePath::refuse : LanePath::produce;
    is_diverted_.store(false, std::memory_order_relaxed);
    enter(is_refusing ? LineState::refusing : LineState::direct);
    stall_not_before_ = clock_.steady() + stall_limit_;
    for (OutboundRecord* record : first)
        offer(*record);
    for (OutboundRecord* record : take_pending())
        offer(*record);
}

// collecting ──────────────────────────────────────────────────────────────────────────────────────

void Line::collect() {
    collect_gently();
    is_purged_ = true;
    if (producer_ != nullptr) producer_->purge();
}

// Lets what is open come home by itself, for a change of producers.
void Line::collect_gently() {
    set_path(LanePath::queue);
    is_purged_ = false;
    enter(LineState::collecting);
    if (fault_.is_broken && !fault_.asks_to_split) numbers_.rebuilds.add();
    if (fault_.any() && log_limit_.allows()) {
        log_warn(
            "deliver", "{}: taking back what Kafka has not acknowledged {}", name_, fault_.reason
        );
    }
}

void Line::run_collecting(Millis wait) {
    if (producer_ == nullptr && is_waiting_for_first()) {
        pause(wait);
        return;
    }
    if (producer_ != nullptr && open_.count() > 0) {
        serve(wait);
        if (!is_purged_ && (fault_.any() || is_stalled())) {
            fault_.asks_to_wait = fault_.asks_to_wait || !fault_.any();
            is_purged_ = true;
            producer_->purge();
        }
        // Every report first: what is still open could be acknowledged behind our back.
        if (open_.count() > 0 && !has_run_out_of_time()) return;
    }
    end_collecting(wait);
}

void Line::end_collecting(Millis wait) {
    // What is spooled is safe before a handle ends, so that its clients need not wait.
    EndingProducer ending = take_producer();
    if (log_ != nullptr) rewind();
    take_rotation();
    std::vector<OutboundRecord*> gathered = take_gathered();
    if (is_closing_) {
        close(std::move(gathered), std::move(ending));
        return;
    }
    const Fault fault = std::exchange(fault_, {});
    const bool breaks_only = fault.is_broken && !fault.asks_to_split;
    const bool must_spool =
        log_ != nullptr && (fault.asks_to_wait || breaks_only || fault.is_flooded ||
                            settings_.is_always_spooled || log_->records_count() > 0);
    if (must_spool) {
        go_spooling(std::move(gathered), fault);
        end(std::move(ending));
        return;
    }
    end(std::move(ending));
    if (fault.asks_to_split) {
        go_splitting(std::move(gathered), wait);
    } else {
        resend(std::move(gathered), breaks_only, wait);
    }
}

// To a new producer, oldest first, before a lane can bring anything younger.
void Line::resend(std::vector<OutboundRecord*> gathered, bool is_after_break, Millis wait) {
    if (!open_producer(false)) {
        collected_ = std::move(gathered);  // once more, until it can be opened
        fault_.is_broken = is_after_break;
        if (log_ == nullptr) open_circuit("the Kafka producer cannot be replaced");
        pause(wait);
        return;
    }
    if (is_after_break && ++rebuilds_without_ack_ > rebuilds_max) {
        rebuilds_without_ack_ = 0;
        refuse("the Kafka producer broke several times in a row");
        ledger_.withdraw(
            gathered,
            {Settlement::retry_later,
             WithdrawalReason::not_acknowledged,
             line_texts::not_in_time,
             5}
        );
        return;
    }
    if (settings_.opens_late) (void)circuit_.probe_passed();
    numbers_.resent.add(gathered.size());
    go_direct(std::move(gathered));
}

// splitting ───────────────────────────────────────────────────────────────────────────────────────

void Line::go_splitting(std::vector<OutboundRecord*> gathered, Millis wait) {
    if (!open_producer(true)) {
        collected_ = std::move(gathered);
        fault_.asks_to_split = true;
        pause(wait);
        return;
    }
    numbers_.splits.add();
    enter(LineState::splitting);
    split_since_ = clock_.steady();
    is_limit_asked_ = true;
    producer_->probe(limit_wait);
    const auto closed = gate_.close();
    is_diverted_.store(false, std::memory_order_relaxed);
    for (OutboundRecord* record : gathered)
        offer(*record);
}

// Leaves only with a producer whose batches the topics take.
void Line::run_splitting(Millis wait) {
    serve(wait);
    note_diverted();
    if (fault_.any()) {
        collect();
        return;
    }
    if (is_stalled()) {
        fault_.asks_to_wait = true;
        collect();
        return;
    }
    const bool waits_for_limit = is_limit_asked_ && clock_.steady() - split_since_ < limit_wait;
    if (open_.count() > 0 || waits_for_limit) return;
    collect_gently();
}

// spooling ────────────────────────────────────────────────────────────────────────────────────────

void Line::go_spooling(std::vector<OutboundRecord*> gathered, const Fault& fault) {
    const bool is_mixed = !gathered.empty();
    unsaved_ = std::move(gathered);
    enter(LineState::spooling);
    spool_round();
    if (fault.asks_to_split) {
        numbers_.splits.add();
        one_by_one_left_ = is_mixed ? log_->records_count() : released_;
    }
    const bool is_hopeless =
        fault.is_broken && !fault.asks_to_split && ++rebuilds_without_ack_ > rebuilds_max;
    if (fault.asks_to_wait || is_hopeless) open_circuit(fault.reason);
    next_open_ = clock_.steady();
}

void Line::run_spooling(Millis wait) {
    spool_round();
    if (has_rotation()) {
        end(take_producer());
        take_rotation();
    }
    if (is_waiting_for_first() || !open_producer_if_due()) {
        pause(wait);
        return;
    }
    if (circuit_.is_open()) {
        ask_if_due();
        serve(wait);
    }
    fault_ = {};  // nothing is open: what a broken handle says is the next probe's affair
    if (circuit_.is_open()) return;
    if (!suit_batches_to_topics()) return;
    go_draining();
}

// draining ────────────────────────────────────────────────────────────────────────────────────────

void Line::go_draining() {
    enter(LineState::draining);
    released_ = 0;
    drain_since_ = last_progress_ = clock_.steady();
    drained_bytes_ = 0;
    stall_not_before_ = clock_.steady();
    if (is_one_by_one_) producer_->probe(limit_wait);
}

void Line::run_draining(Millis wait) {
    fill_window();
    spool_round();
    // What waits for its letter was counted and is not read again.
    if (is_read_through()) one_by_one_left_ = 0;
    if (may_go_direct()) {
        go_direct({});
        return;
    }
    const bool can_go_on = !is_read_through() && has_window_room();
    serve(can_go_on ? Millis(0) : wait);
    if (is_stalled()) fault_.asks_to_wait = true;
    if (fault_.any()) {
        collect();
    } else if (has_rotation() || (has_tried_alone() && open_.count() == 0)) {
        collect_gently();
    }
}

// Not before Kafka has acknowledged something of it, if there is something: a passed probe is no
// proof, and who is sent directly waits longer for the spool.
bool Line::may_go_direct() const {
    const bool is_proven = window_records_ == 0 || drained_bytes_ > 0;
    return is_proven && !settings_.is_always_spooled && !is_one_by_one_ && !fault_.any() &&
           is_read_through();
}

// refusing ────────────────────────────────────────────────────────────────────────────────────────

void Line::refuse(std::string_view reason) {
    open_circuit(reason);
    set_path(LanePath::refuse);
    enter(LineState::refusing);
}

void Line::run_refusing(Millis wait) {
    ask_if_due();
    serve(wait);
    note_diverted();
    if (fault_.is_broken || fault_.asks_to_split) {
        collect();
    } else if (has_rotation() && open_.count() == 0) {
        collect_gently();
    } else if (!circuit_.is_open()) {
        if (open_.count() == 0 && !suit_batches_to_topics()) return;
        go_direct({});
    }
}

}  // namespace spangate
