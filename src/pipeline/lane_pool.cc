#include "pipeline/lane_pool.h"

#include <algorithm>
#include <chrono>

#include <pthread.h>

namespace spangate {

LanePool::LanePool(
    const BatchConfig& config,
    std::uint32_t requests_waiting_max,
    std::vector<std::unique_ptr<Pipeline>> pipelines,
    AckWatch& ack_watch,
    Metrics& metrics
)
    : config_(config),
      ack_watch_(ack_watch),
      full_(metrics.counter(
          "spangate_lanes_full_total", "Requests refused because no lane had room for them."
      )),
      batch_spans_(metrics.histogram(
          "spangate_batch_spans",
          "Spans and log records walked together.",
          {1, 4, 16, 64, 256, 1024, 4096}
      )) {
    const std::size_t room = std::max<std::size_t>(1, requests_waiting_max / pipelines.size());
    for (std::unique_ptr<Pipeline>& pipeline : pipelines) {
        lanes_.push_back(std::unique_ptr<Lane>(new Lane{
            BoundedQueue<RawRequest>(room), std::move(pipeline), std::thread()}));
    }
    for (const std::unique_ptr<Lane>& lane : lanes_) {
        lane->thread = std::thread([this, &lane = *lane] { run(lane); });
    }
}

LanePool::~LanePool() {
    drain();
}

bool LanePool::offer(RawRequest&& request) {
    Ticket& ticket = *request.ticket;
    const SteadyTime admitted_at = request.admitted_at;
    ticket.ref();  // the request, and with it the ticket, may be gone as soon as a lane has it
    const std::size_t first = next_.fetch_add(1, std::memory_order_relaxed);
    bool is_taken = false;
    for (std::size_t i = 0; i < lanes_.size() && !is_taken; ++i) {
        is_taken = lanes_[(first + i) % lanes_.size()]->inbox.try_push(std::move(request));
    }
    if (is_taken) {
        ack_watch_.add(ticket, admitted_at);
    } else {
        full_.add();
    }
    ticket.unref();
    return is_taken;
}

void LanePool::drain() {
    for (const std::unique_ptr<Lane>& lane : lanes_)
        lane->inbox.close();
    for (const std::unique_ptr<Lane>& lane : lanes_) {
        if (lane->thread.joinable()) lane->thread.join();
    }
}

// A batch is what waits, up to its bounds; `timeout` lets it wait for more.
void LanePool::run(Lane& lane) const {
    ::pthread_setname_np(::pthread_self(), "lane");
    Pipeline& pipeline = *lane.pipeline;
    while (std::optional<RawRequest> request = lane.inbox.pop()) {
        const SteadyTime deadline = std::chrono::steady_clock::now() + config_.timeout;
        pipeline.take(std::move(*request));
        while (pipeline.spans() < config_.spans_max && pipeline.bytes() < config_.bytes_max) {
            std::optional<RawRequest> more = lane.inbox.pop_until(deadline);
            if (!more) break;
            pipeline.take(std::move(*more));
        }
        batch_spans_.observe(static_cast<double>(pipeline.spans()));
        pipeline.walk();
    }
}

}  // namespace spangate
