#include "observe/metrics.h"

#include <algorithm>
#include <map>
#include <mutex>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

namespace spangate {
namespace {

using LabelList = std::vector<std::pair<std::string, std::string>>;

// Exactly one of the four is set.
struct Series {
    LabelList labels;
    std::unique_ptr<Counter> counter;
    std::unique_ptr<Gauge> gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> read;
};

struct Family {
    std::string help;
    ReadOrder order = ReadOrder::normal;
    std::vector<Series> series;
};

prometheus::ClientMetric collect(const Series& series) {
    prometheus::ClientMetric metric;
    for (const auto& [name, value] : series.labels)
        metric.label.push_back({name, value});
    if (series.counter != nullptr) {
        metric.counter.value = static_cast<double>(series.counter->value());
    } else if (series.histogram != nullptr) {
        const Histogram::Snapshot snapshot = series.histogram->snapshot();
        metric.histogram.sample_count = snapshot.count;
        metric.histogram.sample_sum = snapshot.sum;
        for (const auto& [bound, count] : snapshot.buckets) {
            metric.histogram.bucket.push_back({count, bound});
        }
    } else {
        metric.gauge.value =
            series.gauge != nullptr ? static_cast<double>(series.gauge->value()) : series.read();
    }
    return metric;
}

prometheus::MetricType type_of(const Series& series) {
    if (series.counter != nullptr) return prometheus::MetricType::Counter;
    if (series.histogram != nullptr) return prometheus::MetricType::Histogram;
    return prometheus::MetricType::Gauge;
}

}  // namespace

Histogram::Histogram(std::vector<double> bounds)
    : bounds_(std::move(bounds)),
      counts_(bounds_.size() + 1) {}

void Histogram::observe(double value) {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
    Snapshot snapshot;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        snapshot.count += counts_[i].load(std::memory_order_relaxed);
        if (i < bounds_.size()) snapshot.buckets.emplace_back(bounds_[i], snapshot.count);
    }
    snapshot.sum = sum_.load(std::memory_order_relaxed);
    return snapshot;
}

struct Metrics::State {
    mutable std::mutex mutex;
    std::map<std::string, Family, std::less<>> families;

    // A new series has none of its four set.
    Series& find_or_add(
        std::string_view name, std::string_view help, Labels labels, ReadOrder order
    ) {
        LabelList list;
        for (const auto& [key, value] : labels)
            list.emplace_back(key, value);
        Family& family = families[std::string(name)];
        if (family.help.empty()) family.help = help;
        family.order = order;
        for (Series& series : family.series) {
            if (series.labels == list) return series;
        }
        family.series.emplace_back().labels = std::move(list);
        return family.series.back();
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}

Metrics::~Metrics() = default;

Counter& Metrics::counter(
    std::string_view name, std::string_view help, Labels labels, ReadOrder order
) {
    const std::lock_guard lock(state_->mutex);
    Series& series = state_->find_or_add(name, help, labels, order);
    if (series.counter == nullptr) series.counter = std::make_unique<Counter>();
    return *series.counter;
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, Labels labels) {
    const std::lock_guard lock(state_->mutex);
    Series& series = state_->find_or_add(name, help, labels, ReadOrder::normal);
    if (series.gauge == nullptr) series.gauge = std::make_unique<Gauge>();
    return *series.gauge;
}

Histogram& Metrics::histogram(
    std::string_view name, std::string_view help, std::vector<double> bounds, Labels labels
) {
    const std::lock_guard lock(state_->mutex);
    Series& series = state_->find_or_add(name, help, labels, ReadOrder::normal);
    if (series.histogram == nullptr) {
        series.histogram = std::make_unique<Histogram>(std::move(bounds));
    }
    return *series.histogram;
}

void Metrics::gauge_from(
    std::string_view name, std::string_view help, std::function<double()> read, Labels labels
) {
    const std::lock_guard lock(state_->mutex);
    state_->find_or_add(name, help, labels, ReadOrder::normal).read = std::move(read);
}

std::string Metrics::exposition() const {
    std::vector<prometheus::MetricFamily> collected;
    const std::lock_guard lock(state_->mutex);
    for (const ReadOrder order : {ReadOrder::terminal, ReadOrder::normal}) {
        for (const auto& [name, family] : state_->families) {
            if (family.order != order || family.series.empty()) continue;
            prometheus::MetricFamily& out = collected.emplace_back();
            out.name = name;
            out.help = family.help;
            out.type = type_of(family.series.front());
            for (const Series& series : family.series)
                out.metric.push_back(collect(series));
        }
    }
    std::sort(collected.begin(), collected.end(), [](const auto& a, const auto& b) {
        return a.name < b.name;
    });
    return prometheus::TextSerializer().Serialize(collected);
}

}  // namespace spangate
