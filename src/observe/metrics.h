// What the program counts. Rooms ask once, at construction, for the counters they own and keep the
// references; counting is one relaxed atomic add. Names are `spangate_<noun>_<unit>_total` as in
// the public interface; label values come from closed sets only (never a session, tool or client
// value).
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace spangate {

class alignas(64) Counter {
  public:
    void add(std::uint64_t count = 1) { value_.fetch_add(count, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::uint64_t> value_{0};
};

class alignas(64) Gauge {
  public:
    void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }

    void add(std::int64_t value) { value_.fetch_add(value, std::memory_order_relaxed); }

    [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

  private:
    std::atomic<std::int64_t> value_{0};
};

// Cumulative buckets of seconds or counts; observe() is two relaxed adds.
class Histogram {
  public:
    explicit Histogram(std::vector<double> bounds);

    void observe(double value);

    struct Snapshot {
        std::vector<std::pair<double, std::uint64_t>> buckets;  // upper bound, cumulative count
        std::uint64_t count = 0;
        double sum = 0;
    };

    [[nodiscard]] Snapshot snapshot() const;

  private:
    std::vector<double> bounds_;
    std::vector<std::atomic<std::uint64_t>> counts_;
    std::atomic<double> sum_{0};
};

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

// Terminal counters (what has left: delivered, refused, …) are read before the others in a scrape,
// so that the ledger of the contract (§8) never shows more out than in.
enum class ReadOrder : std::uint8_t { terminal, normal };

// Owns every series. Registration may come from any thread; the same name and labels give the same
// object. References stay valid as long as the Metrics lives.
class Metrics {
  public:
    Metrics();
    ~Metrics();
    Metrics(const Metrics&) = delete;
    Metrics& operator=(const Metrics&) = delete;

    [[nodiscard]] Counter& counter(
        std::string_view name,
        std::string_view help,
        Labels labels = {},
        ReadOrder order = ReadOrder::normal
    );
    [[nodiscard]] Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {});
    [[nodiscard]] Histogram& histogram(
        std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels = {}
    );

    // Read at scrape time; `read` must be thread-safe and outlive the Metrics' last scrape.
    void gauge_from(
        std::string_view name,
        std::string_view help,
        std::function<double()> read,
        Labels labels = {}
    );

    // Prometheus text format 0.0.4.
    [[nodiscard]] std::string exposition() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
