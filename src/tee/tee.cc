#include "tee/tee.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <string>
#include <string_view>
#include <utility>

#include <pthread.h>

#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view room = "tee";
constexpr std::array<std::string_view, 5> drop_names = {
    "queue", "memory", "encoding", "gave_up", "shutdown"};

Counter& result_counter(Metrics& metrics, std::size_t signal, std::string_view result) {
    return metrics.counter(
        "spangate_tee_requests_total",
        "Requests copied for exporters.otlp, by signal and by what became of them.",
        {{"signal", signal_names[signal]}, {"result", result}}
    );
}

// Half of `wait` and a part of the other half that the clock's last digits choose, so that senders
// do not come in step.
Millis spread(Millis wait) {
    const auto digits = std::chrono::steady_clock::now().time_since_epoch().count();
    return wait / 2 + Millis(digits % (wait.count() / 2 + 1));
}

}  // namespace

struct Tee::Counters {
    explicit Counters(Metrics& metrics)
        : retries(
              metrics.counter("spangate_tee_retries_total", "Copies sent again to exporters.otlp.")
          ),
          queue_bytes(metrics.gauge(
              "spangate_tee_queue_bytes", "Bytes waiting for exporters.otlp or being sent there."
          )),
          queue_requests(metrics.gauge(
              "spangate_tee_queue_requests",
              "Requests waiting for exporters.otlp or being sent there."
          )) {
        for (std::size_t signal = 0; signal < std::size(signal_names); ++signal) {
            forwarded[signal] = &result_counter(metrics, signal, "forwarded");
            rejected[signal] = &result_counter(metrics, signal, "rejected");
            dropped[signal] = &result_counter(metrics, signal, "dropped");
        }
        for (std::size_t reason = 0; reason < drop_names.size(); ++reason) {
            reasons[reason] = &metrics.counter(
                "spangate_tee_drops_total",
                "Copies that did not reach exporters.otlp, by reason.",
                {{"reason", drop_names[reason]}}
            );
        }
    }

    Counter* forwarded[std::size(signal_names)]{};
    Counter* rejected[std::size(signal_names)]{};
    Counter* dropped[std::size(signal_names)]{};
    std::array<Counter*, drop_names.size()> reasons{};
    Counter& retries;
    Gauge& queue_bytes;
    Gauge& queue_requests;
};

Tee::Tee(
    RequestInbox& inbox,
    std::vector<std::unique_ptr<TeeSender>> senders,
    const TeeLimits& limits,
    MemoryBudget& budget,
    Metrics& metrics
)
    : inbox_(inbox),
      senders_(std::move(senders)),
      limits_(limits),
      budget_(budget),
      counters_(std::make_unique<Counters>(metrics)) {
    for (const std::unique_ptr<TeeSender>& sender : senders_) {
        threads_.emplace_back([this, &sender = *sender] { run(sender); });
    }
}

Tee::~Tee() {
    drain(std::chrono::steady_clock::now());
}

bool Tee::offer(RawRequest&& request) {
    TeeRequest copy;
    const std::optional<Drop> refused = reserve(request, copy);
    const Signal signal = request.signal;
    if (signal == Signal::metrics) {
        if (!refused) copy.body = std::make_shared<const Body>(std::move(request.body));
        request.ticket->settle(Settlement::stored);
    } else {
        // One copy of the bytes, about 10 µs for 100 KiB; the lane lets go of its own early.
        if (!refused) {
            Body body;
            body.append(request.body.view());
            copy.body = std::make_shared<const Body>(std::move(body));
        }
        if (!inbox_.offer(std::move(request))) {
            if (!refused) give_back(copy);
            return false;
        }
    }
    if (refused) {
        drop(signal, *refused);
    } else {
        enqueue(std::move(copy));
    }
    return true;
}

// Makes room for the request's body, or tells why there is none.
std::optional<Tee::Drop> Tee::reserve(const RawRequest& request, TeeRequest& copy) {
    const Bytes bytes = request.body.size();
    copy.signal = request.signal;
    copy.encoding = request.encoding;
    if (!senders_.front()->carries(request.encoding)) return Drop::encoding;
    Lease lease(budget_);
    if (!lease.grow_to(bytes)) return Drop::memory_full;
    const std::lock_guard lock(mutex_);
    if (is_closed_) return Drop::shutdown;
    if (requests_ >= limits_.queue_requests_max) return Drop::queue_full;
    if (bytes > limits_.queue_bytes_max || bytes_ > limits_.queue_bytes_max - bytes)
        return Drop::queue_full;
    copy.lease = std::move(lease);
    ++requests_;
    bytes_ += bytes;
    counters_->queue_requests.add(1);
    counters_->queue_bytes.add(static_cast<std::int64_t>(bytes));
    return std::nullopt;
}

void Tee::give_back(const TeeRequest& copy) {
    {
        const std::lock_guard lock(mutex_);
        --requests_;
        bytes_ -= copy.body->size();
        if (requests_ == 0) empty_.notify_all();
    }
    counters_->queue_requests.add(-1);
    counters_->queue_bytes.add(-static_cast<std::int64_t>(copy.body->size()));
}

// What has its room reserved is taken also after drain() has begun.
void Tee::enqueue(TeeRequest&& copy) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(std::move(copy));
    }
    wake_.notify_one();
}

void Tee::drop(Signal signal, Drop reason) {
    counters_->dropped[static_cast<std::size_t>(signal)]->add();
    counters_->reasons[static_cast<std::size_t>(reason)]->add();
    static LogLimit limit;
    if (reason != Drop::encoding && limit.allows()) {
        log_warn(
            room,
            "a copy did not reach exporters.otlp reason={} signal={}",
            drop_names[static_cast<std::size_t>(reason)],
            signal_names[static_cast<std::size_t>(signal)]
        );
    }
}

bool Tee::drain(SteadyTime deadline) {
    bool is_clean = true;
    {
        std::unique_lock lock(mutex_);
        is_closed_ = true;
        wake_.notify_all();
        is_clean = empty_.wait_until(lock, deadline, [this] { return requests_ == 0; });
        is_stopped_ = true;
    }
    wake_.notify_all();
    for (const std::unique_ptr<TeeSender>& sender : senders_)
        sender->cancel();
    for (std::thread& thread : threads_)
        thread.join();
    threads_.clear();
    if (!is_clean) log_warn(room, "stopped before every copy had reached exporters.otlp");
    for (const TeeRequest& left : std::exchange(queue_, {})) {
        drop(left.signal, Drop::shutdown);
        give_back(left);
    }
    return is_clean;
}

void Tee::run(TeeSender& sender) {
    ::pthread_setname_np(::pthread_self(), "tee");
    while (std::optional<TeeRequest> request = next()) {
        forward(*request, sender);
        give_back(*request);
    }
}

std::optional<TeeRequest> Tee::next() {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return is_stopped_ || !queue_.empty(); });
    if (is_stopped_) return std::nullopt;
    TeeRequest request = std::move(queue_.front());
    queue_.pop_front();
    return request;
}

void Tee::forward(const TeeRequest& request, TeeSender& sender) {
    const auto signal = static_cast<std::size_t>(request.signal);
    const SteadyTime give_up_at = std::chrono::steady_clock::now() + limits_.give_up_after;
    for (Millis backoff = limits_.backoff_min;;
         backoff = std::min(backoff * 2, limits_.backoff_max)) {
        const SteadyTime now = std::chrono::steady_clock::now();
        const TeeReply reply =
            sender.send(request, std::min(now + limits_.attempt_timeout, give_up_at));
        note(reply);
        if (reply.verdict == TeeVerdict::forwarded) return counters_->forwarded[signal]->add();
        if (reply.verdict == TeeVerdict::rejected) return counters_->rejected[signal]->add();
        const Millis wait = std::max(spread(backoff), Millis(reply.wait));
        if (std::chrono::steady_clock::now() + wait >= give_up_at)
            return drop(request.signal, Drop::gave_up);
        if (!pause(wait)) return drop(request.signal, Drop::shutdown);
        counters_->retries.add();
    }
}

// False when the tee was stopped meanwhile.
bool Tee::pause(Millis wait) {
    std::unique_lock lock(mutex_);
    return !wake_.wait_for(lock, wait, [this] { return is_stopped_; });
}

// Tells of changes: away, back, and rejections now and then.
void Tee::note(const TeeReply& reply) {
    const bool is_away = reply.verdict == TeeVerdict::later;
    bool has_changed = false;
    {
        const std::lock_guard lock(mutex_);
        has_changed = std::exchange(is_away_, is_away) != is_away;
        if (is_stopped_) return;
    }
    if (has_changed && is_away)
        log_warn(room, "exporters.otlp does not take copies: {}", reply.why);
    if (has_changed && !is_away) log_info(room, "exporters.otlp takes copies again");
    static LogLimit limit;
    if (reply.verdict == TeeVerdict::rejected && limit.allows())
        log_warn(room, "exporters.otlp rejected a copy: {}", reply.why);
}

}  // namespace spangate
