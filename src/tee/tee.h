// A copy of every request for the old path, while a migration lasts (exporters.otlp). Stands before
// the lanes as their inbox:
//
//   admission ──▶ Tee ──▶ lanes           what they take is also copied into the tee's queue
//                  └──▶ queue ──▶ senders ──▶ the other OTLP endpoint
//
// The tee never makes a client wait or fail: a request is answered by what becomes of its events,
// as without it. What the queue has no room for, or the endpoint does not take in time, is dropped
// and counted. Traces and logs are copied when a lane has taken them, so a client that is asked to
// send again does not have both copies forwarded; a request sent again after `ack_timeout` is
// forwarded again. Metrics end here: they are answered with success and moved into the queue.
//
// Requests are forwarded inflated, otherwise byte for byte, in no promised order.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "config/config.h"
#include "model/request.h"
#include "observe/metrics.h"
#include "tee/tee_sender.h"

namespace spangate {

struct TeeLimits {
    // The whole program's memory is shared: the tee may hold this part of it, and leases it too.
    static constexpr Bytes memory_share = 4;

    Bytes queue_bytes_max = 32 * mib;  // waiting and being sent
    std::size_t queue_requests_max = 4'096;
    Millis attempt_timeout{10'000};
    Millis backoff_min{500};  // before the second attempt; doubles; up to half of it is left out
    Millis backoff_max{10'000};
    Millis give_up_after{60'000};  // since the first attempt
};

class Tee final : public RequestInbox {
  public:
    // One thread per sender. `inbox` and `budget` outlive the tee.
    Tee(RequestInbox& inbox,
        std::vector<std::unique_ptr<TeeSender>> senders,
        const TeeLimits& limits,
        MemoryBudget& budget,
        Metrics& metrics);
    ~Tee() override;  // drain(now)

    [[nodiscard]] bool offer(RawRequest&& request) override;

    // Takes no more copies; returns when all are sent or dropped, at `deadline` at the latest, and
    // ends the threads. False when copies were left behind. One caller; a second call does nothing.
    bool drain(SteadyTime deadline);

  private:
    struct Counters;
    enum class Drop : std::uint8_t { queue_full, memory_full, encoding, gave_up, shutdown };

    [[nodiscard]] std::optional<Drop> reserve(const RawRequest& request, TeeRequest& copy);
    void give_back(const TeeRequest& copy);
    void enqueue(TeeRequest&& copy);
    void drop(Signal signal, Drop reason);

    void run(TeeSender& sender);
    [[nodiscard]] std::optional<TeeRequest> next();
    void forward(const TeeRequest& request, TeeSender& sender);
    [[nodiscard]] bool pause(Millis wait);
    void note(const TeeReply& reply);

    RequestInbox& inbox_;
    const std::vector<std::unique_ptr<TeeSender>> senders_;
    const TeeLimits limits_;
    MemoryBudget& budget_;
    const std::unique_ptr<Counters> counters_;

    std::mutex mutex_;
    std::condition_variable wake_;   // for the senders' threads
    std::condition_variable empty_;  // for drain()
    std::deque<TeeRequest> queue_;   // this and what follows guarded by mutex_
    Bytes bytes_ = 0;                // reserved, waiting or being sent
    std::size_t requests_ = 0;       // likewise
    bool is_closed_ = false;         // no more copies; the queue runs dry
    bool is_stopped_ = false;        // nothing is sent any more
    bool is_away_ = false;           // the last answer was no answer

    std::vector<std::thread> threads_;
};

}  // namespace spangate
