// N threads that run the pipeline whole. offer() gives a request to the next lane with room, so
// that a lone client connection can use every lane; when none has room it says no.
#pragma once

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "config/config.h"
#include "model/request.h"
#include "observe/metrics.h"
#include "pipeline/ack_watch.h"
#include "pipeline/pipeline.h"

namespace spangate {

class LanePool final : public RequestInbox {
  public:
    // One lane per pipeline. `requests_waiting_max` is shared out among the lanes.
    LanePool(
        const BatchConfig& config,
        std::uint32_t requests_waiting_max,
        std::vector<std::unique_ptr<Pipeline>> pipelines,
        AckWatch& ack_watch,
        Metrics& metrics
    );
    ~LanePool() override;

    [[nodiscard]] bool offer(RawRequest&& request) override;

    // No more offers; returns when the lanes have walked what they hold.
    void drain();

  private:
    struct Lane {
        BoundedQueue<RawRequest> inbox;
        std::unique_ptr<Pipeline> pipeline;
        std::thread thread;
    };

    void run(Lane& lane) const;

    const BatchConfig config_;
    AckWatch& ack_watch_;
    Counter& full_;
    Histogram& batch_spans_;
    std::vector<std::unique_ptr<Lane>> lanes_;
    std::atomic<std::size_t> next_{0};
};

}  // namespace spangate
