// Answers requests that wait longer than `ack_timeout`: the client hears `unavailable` and comes
// back, while the records stay under way (a repeat carries the same event ids). One thread;
// admission order is deadline order because the timeout is one for all.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "base/clock.h"
#include "model/ticket.h"
#include "observe/metrics.h"

namespace spangate {

class AckWatch {
  public:
    AckWatch(std::chrono::milliseconds ack_timeout, const Clock& clock, Metrics& metrics);
    ~AckWatch();

    AckWatch(const AckWatch&) = delete;
    AckWatch& operator=(const AckWatch&) = delete;

    // Takes a reference of `ticket`. Any thread.
    void add(Ticket& ticket, SteadyTime admitted_at);

    // Answers what is due at `now`; lets go of what is answered already. Called by the own thread;
    // tests call it with their own time.
    void tick(SteadyTime now);

  private:
    struct Waiting {
        SteadyTime deadline;
        Ticket* ticket;
    };

    void run();

    const std::chrono::milliseconds ack_timeout_;
    const Clock& clock_;
    Counter& timeouts_;
    std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Waiting> waiting_;
    bool is_stopping_ = false;
    std::thread thread_;
};

}  // namespace spangate
