#include "pipeline/ack_watch.h"

#include <vector>

#include <pthread.h>

namespace spangate {
namespace {

constexpr auto tick_interval = std::chrono::milliseconds(50);
constexpr std::uint32_t retry_after_s = 1;

}  // namespace

AckWatch::AckWatch(std::chrono::milliseconds ack_timeout, const Clock& clock, Metrics& metrics)
    : ack_timeout_(ack_timeout),
      clock_(clock),
      timeouts_(metrics.counter(
          "spangate_ack_timeouts_total",
          "Requests answered unavailable because their records were not stored in ack_timeout."
      )),
      thread_([this] { run(); }) {}

AckWatch::~AckWatch() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    wake_.notify_all();
    thread_.join();
    for (const Waiting& waiting : waiting_)
        waiting.ticket->unref();
}

void AckWatch::add(Ticket& ticket, SteadyTime admitted_at) {
    ticket.ref();
    const std::lock_guard lock(mutex_);
    waiting_.push_back({admitted_at + ack_timeout_, &ticket});
}

void AckWatch::tick(SteadyTime now) {
    std::vector<Waiting> due;
    {
        const std::lock_guard lock(mutex_);
        while (!waiting_.empty() &&
               (waiting_.front().deadline <= now || waiting_.front().ticket->is_answered())) {
            due.push_back(waiting_.front());
            waiting_.pop_front();
        }
    }
    for (const Waiting& waiting : due) {
        if (!waiting.ticket->is_answered()) {
            timeouts_.add();
            waiting.ticket->fail(
                {ErrorCode::unavailable,
                 "the events were not stored within ack_timeout; send the request again (it may "
                 "still be delivered: repeats carry the same event ids)"},
                retry_after_s
            );
        }
        waiting.ticket->unref();
    }
}

void AckWatch::run() {
    ::pthread_setname_np(::pthread_self(), "ack-watch");
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
        wake_.wait_for(lock, tick_interval);
        lock.unlock();
        tick(clock_.steady());
        lock.lock();
    }
}

}  // namespace spangate
