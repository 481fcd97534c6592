// Hears which data keys of evidence somebody erases while a gateway runs, so that it goes on with
// new ones: content sealed with an erased key could never be read. From the tombstones on the topic
// of evidence keys, or from the list that `evidence erase` keeps beside JSONL evidence.
//
// Nothing waits for it: a gateway that may not read the topic, or has lost the brokers, goes on
// with its keys until they rotate. Such faults are counted and logged.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "base/result.h"
#include "config/config.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace spangate {

class ErasedKeyWatch {
  public:
    // Called on the watch's thread, once or more often for each key that was erased after the
    // watch began, whichever gateway made it.
    using OnErased = std::function<void(std::string_view key_id)>;

    // How often the list beside JSONL files is looked at, and a topic that failed tried again.
    static constexpr Millis look_interval{1'000};

    // Of a topic: the brokers of `config`. Of files: the directory of a jsonl sink. Both return at
    // once; `metrics` and what `on_erased` uses outlive the watch.
    [[nodiscard]] static std::unique_ptr<ErasedKeyWatch> of_topic(
        const KafkaConfig& config, OnErased on_erased, Metrics& metrics
    );
    [[nodiscard]] static std::unique_ptr<ErasedKeyWatch> of_files(
        const std::string& directory, OnErased on_erased, Metrics& metrics
    );

    ErasedKeyWatch(const ErasedKeyWatch&) = delete;
    ErasedKeyWatch& operator=(const ErasedKeyWatch&) = delete;

    // Within a poll, a tenth of a second, unless the brokers are asked for metadata just now.
    ~ErasedKeyWatch();

  private:
    ErasedKeyWatch(OnErased on_erased, Metrics& metrics);

    void watch_topic(const KafkaConfig& config);
    [[nodiscard]] Status read_topic(const KafkaConfig& config);
    void watch_file(const std::string& path);
    void tell_fault(const Error& error);

    // False: the watch ends.
    [[nodiscard]] bool wait_for_next_look();

    [[nodiscard]] bool is_stopping() const { return is_stopping_.load(std::memory_order_relaxed); }

    const OnErased on_erased_;
    Counter& faults_;
    LogLimit log_limit_{std::chrono::minutes(1)};
    std::mutex mutex_;
    std::condition_variable stop_;
    std::atomic<bool> is_stopping_{false};  // written under mutex_
    std::thread thread_;                    // last: it uses all of the above
};

}  // namespace spangate
