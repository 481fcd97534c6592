// Whether Kafka is worth asking. Open: new records are refused at once, and a probe each second (at
// most) finds out when it is worth it again. A probe only sees metadata; when records fail all the
// same, the time until the next closing doubles up to `close_wait_max`, until one is acknowledged.
//
//   open("not reached yet") at start ──probe ok──▶ closed ──a record expires──▶ open ──probe ok──▶
//   …
//
// is_open() and refusal() may be called from any thread; the rest from the sink's own.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "model/record.h"

namespace spangate {

class Circuit {
  public:
    static constexpr std::chrono::milliseconds probe_interval{1'000};
    static constexpr std::chrono::milliseconds first_probe_wait{100};  // at start; then doubled
    static constexpr std::chrono::milliseconds close_wait_max{16'000};
    static constexpr std::uint32_t retry_after_max_s = 15;

    // Open, with `reason` until the first probe passes.
    Circuit(const Clock& clock, std::string_view reason);

    [[nodiscard]] bool is_open() const { return open_.load(std::memory_order_acquire); }

    // Empty reason: closed. The text stays valid as long as the circuit.
    [[nodiscard]] RecordSink::Refusal refusal() const;

    // Opens, or changes the reason while open. Empty reason: «has not acknowledged for N s». True
    // when it was closed.
    bool open(std::string_view reason);

    [[nodiscard]] bool probe_is_due() const;

    // Closes when waited long enough; true when it did.
    bool probe_passed();

    // Stays open; an empty `reason` keeps the one there is.
    void probe_failed(std::string_view reason);

    // Kafka acknowledged something.
    void acknowledged();

  private:
    [[nodiscard]] std::string_view keep(std::string_view reason);

    const Clock& clock_;
    std::atomic<bool> open_{true};
    // Nanoseconds of the steady clock; relaxed, each stands for itself.
    std::atomic<std::int64_t> last_acknowledged_;
    std::atomic<std::int64_t> opened_at_;

    // The sink's thread only.
    SteadyTime next_probe_;
    std::chrono::milliseconds probe_wait_ = first_probe_wait;
    SteadyTime close_not_before_;
    std::chrono::milliseconds close_wait_{0};

    // Reasons are few (one per topic and kind of error) and kept, because tickets borrow them.
    mutable std::mutex mutex_;
    std::deque<std::string> reasons_;
    std::string_view reason_;  // guarded by mutex_
};

}  // namespace spangate
