// Posts each telling to a URL, from a thread of its own: whoever tells never waits. What the other
// side does not take is tried again with growing pauses and then given up; a full queue drops.
// Everything is counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/bounded_queue.h"
#include "base/result.h"
#include "config/config.h"
#include "guard/guard_counters.h"
#include "net/http_client.h"
#include "observe/log.h"

namespace spangate {

struct WebhookLimits {
    std::size_t messages_max = 1'000;
    std::uint32_t tries_max = 6;
    Millis first_pause{500};  // twice as long each time, or what Retry-After says
    Millis pause_max{30'000};
    Millis post_timeout{10'000};
    Millis drain_timeout{3'000};  // at the end, for what is still queued
};

class Webhook {
  public:
    // `counters` outlive the webhook.
    [[nodiscard]] static Result<std::unique_ptr<Webhook>> open(
        const Secret& url, GuardCounters& counters, WebhookLimits limits = {}
    );

    Webhook(const Webhook&) = delete;
    Webhook& operator=(const Webhook&) = delete;

    // Waits for what is queued, up to drain_timeout.
    ~Webhook();

    // Never waits.
    void post(std::string message);

  private:
    Webhook(std::unique_ptr<HttpClient> client, GuardCounters& counters, WebhookLimits limits);

    void run();
    void deliver(const std::string& message);

    // False: the webhook ends.
    [[nodiscard]] bool pause(Millis time);

    const WebhookLimits limits_;
    GuardCounters& counters_;
    const std::unique_ptr<HttpClient> client_;
    BoundedQueue<std::string> queue_;
    LogLimit log_limit_{std::chrono::minutes(1)};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_ending_ = false;  // guarded by mutex_
    bool is_done_ = false;    // guarded by mutex_
    std::thread thread_;      // last: it uses all of the above
};

}  // namespace spangate
