// What every test of this room stands on: an admission with its surroundings, and an inbox that
// keeps what it is offered.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <unistd.h>

#include "base/memory_budget.h"
#include "config/config.h"
#include "model/request.h"
#include "observe/metrics.h"
#include "receive/admission.h"
#include "support/manual_clock.h"

namespace spangate::testing {

// Takes up to `requests_max` requests, for the test to look at and settle; or settles each at once.
class FakeInbox final : public RequestInbox {
  public:
    [[nodiscard]] bool offer(RawRequest&& request) override {
        const std::lock_guard lock(mutex_);
        if (requests_.size() >= requests_max_) return false;
        ++offered_;
        if (settles_at_once_) {
            request.ticket->settle(Settlement::stored);
            return true;
        }
        requests_.push_back(std::move(request));
        arrived_.notify_all();
        return true;
    }

    // The oldest request, waiting for it up to ten seconds.
    [[nodiscard]] std::optional<RawRequest> next() {
        std::unique_lock lock(mutex_);
        const bool is_there = arrived_.wait_for(lock, std::chrono::seconds(10), [this] {
            return !requests_.empty();
        });
        if (!is_there) return std::nullopt;
        RawRequest request = std::move(requests_.front());
        requests_.pop_front();
        return request;
    }

    [[nodiscard]] std::uint64_t offered() const {
        const std::lock_guard lock(mutex_);
        return offered_;
    }

    void hold_at_most(std::size_t requests_max) {
        const std::lock_guard lock(mutex_);
        requests_max_ = requests_max;
    }

    void settle_at_once() {
        const std::lock_guard lock(mutex_);
        settles_at_once_ = true;
    }

  private:
    mutable std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<RawRequest> requests_;
    std::size_t requests_max_ = 100'000;
    std::uint64_t offered_ = 0;
    bool settles_at_once_ = false;
};

// Build the config first, then the admission.
struct ReceiveContext {
    ReceiversConfig config;
    MemoryBudget budget{128 * mib};
    FakeInbox inbox;
    ManualClock clock;
    Metrics metrics;
    std::mutex refusal_mutex;
    RecordSink::Refusal refusal{{}, 1};
    std::unique_ptr<Admission> admission;

    ReceiveContext() {
        config.grpc_endpoint = "127.0.0.1:0";
        config.http_endpoint = "127.0.0.1:0";
        make_admission();
    }

    void make_admission() {
        admission =
            std::make_unique<Admission>(config, budget, inbox, nullptr, clock, metrics, [this] {
                const std::lock_guard lock(refusal_mutex);
                return refusal;
            });
    }

    void refuse(std::string_view reason, std::uint32_t retry_after_s) {
        const std::lock_guard lock(refusal_mutex);
        refusal = {reason, retry_after_s};
    }

    // The value of a series that has a signal as its one label.
    [[nodiscard]] std::uint64_t counted(std::string_view name, std::string_view signal) {
        return metrics.counter(name, "", {{"signal", signal}}).value();
    }

    [[nodiscard]] std::uint64_t refused(std::string_view reason) {
        return metrics.counter("spangate_requests_refused_total", "", {{"reason", reason}}).value();
    }

    [[nodiscard]] std::uint64_t rejected(std::string_view reason) {
        return metrics.counter(
                          "spangate_requests_rejected_total", "", {{"reason", reason}}
        ).value();
    }
};

// A token file that goes away with the test.
class TokenFile {
  public:
    explicit TokenFile(std::string_view text)
        : path_((std::filesystem::temp_directory_path() /
                 ("spangate-tokens-" + std::to_string(::getpid())))
                    .string()) {
        write(text);
    }

    ~TokenFile() { std::filesystem::remove(path_); }

    TokenFile(const TokenFile&) = delete;
    TokenFile& operator=(const TokenFile&) = delete;

    void write(std::string_view text) { std::ofstream(path_, std::ios::trunc) << text; }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

// Keeps what it is told, beyond the ticket's life.
class FakeResponder final : public Responder {
  public:
    explicit FakeResponder(std::optional<Outcome>& heard) : heard_(heard) {}

    void respond(const Outcome& outcome) override { heard_ = outcome; }

  private:
    std::optional<Outcome>& heard_;
};

}  // namespace spangate::testing
