#include "deliver/circuit.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::size_t reasons_max = 64;

std::int64_t nanos_of(SteadyTime time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

// The sentence for each duration that is told, made once: refusals are asked for often and borrow
// their text.
std::string_view silence_of(std::int64_t seconds) {
    static const auto sentences = [] {
        std::array<std::string, 121> made;
        for (std::size_t i = 0; i < made.size(); ++i) {
            made[i] = i <= 60 ? fmt::format("Kafka has not acknowledged for {} s", i)
                              : fmt::format("Kafka has not acknowledged for {} min", i - 60);
        }
        return made;
    }();
    if (seconds < 0) seconds = 0;
    if (seconds < 120)
        return sentences[static_cast<std::size_t>(std::min<std::int64_t>(seconds, 60))];
    return sentences[static_cast<std::size_t>(60 + std::min<std::int64_t>(seconds / 60, 60))];
}

}  // namespace

Circuit::Circuit(const Clock& clock, std::string_view reason)
    : clock_(clock),
      last_acknowledged_(nanos_of(clock.steady())),
      opened_at_(nanos_of(clock.steady())),
      next_probe_(clock.steady()),
      close_not_before_(clock.steady()),
      reason_(keep(reason)) {}

std::string_view Circuit::keep(std::string_view reason) {
    for (const std::string& kept : reasons_) {
        if (kept == reason) return kept;
    }
    if (reasons_.size() >= reasons_max) return reasons_.back();
    return reasons_.emplace_back(reason);
}

RecordSink::Refusal Circuit::refusal() const {
    if (!is_open()) return {};
    const std::int64_t now = nanos_of(clock_.steady());
    const std::int64_t open_s = (now - opened_at_.load(std::memory_order_relaxed)) / 1'000'000'000;
    const std::int64_t wait_s = std::clamp<std::int64_t>(open_s / 2, 1, retry_after_max_s);
    const std::lock_guard lock(mutex_);
    if (!reason_.empty()) return {reason_, static_cast<std::uint32_t>(wait_s)};
    const std::int64_t silent_ns = now - last_acknowledged_.load(std::memory_order_relaxed);
    return {silence_of(silent_ns / 1'000'000'000), static_cast<std::uint32_t>(wait_s)};
}

bool Circuit::open(std::string_view reason) {
    {
        const std::lock_guard lock(mutex_);
        reason_ = reason.empty() ? std::string_view() : keep(reason);
    }
    if (is_open()) return false;
    const SteadyTime now = clock_.steady();
    opened_at_.store(nanos_of(now), std::memory_order_relaxed);
    next_probe_ = now + probe_interval;
    close_not_before_ = now + close_wait_;
    close_wait_ = std::min(close_wait_ * 2 + probe_interval, close_wait_max);
    // Publishes opened_at_.
    open_.store(true, std::memory_order_release);
    return true;
}

bool Circuit::probe_is_due() const {
    return is_open() && clock_.steady() >= next_probe_;
}

bool Circuit::probe_passed() {
    const SteadyTime now = clock_.steady();
    next_probe_ = now + probe_interval;
    if (now < close_not_before_) return false;
    // What was silent before is told; a later silence counts from here.
    last_acknowledged_.store(nanos_of(now), std::memory_order_relaxed);
    open_.store(false, std::memory_order_release);
    return true;
}

void Circuit::probe_failed(std::string_view reason) {
    next_probe_ = clock_.steady() + probe_wait_;
    probe_wait_ = std::min(probe_wait_ * 2, probe_interval);
    if (!reason.empty()) open(reason);
}

void Circuit::acknowledged() {
    last_acknowledged_.store(nanos_of(clock_.steady()), std::memory_order_relaxed);
    close_wait_ = std::chrono::milliseconds(0);
}

}  // namespace spangate
