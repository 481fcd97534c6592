// Where replaced producers end: librdkafka takes up to a second to end a handle, and nobody should
// wait for that.
//
// Order does not need the wait. Every record of an ended handle has had its report, so it sends
// nothing more. What of it is still under way may reach Kafka's log after its successor's first
// records, but a closed connection would not call that back either: brokers carry out what they
// have read. It is harmless: what was under way stands in its old order, without a gap, and the
// successor sends the same records first, in that order; so whichever of the two comes first, each
// record first appears behind the one before it, and the other copy is a repeat.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "deliver/producer.h"

namespace spangate {

// Ends with its producer; the source outlives it.
struct EndingProducer {
    std::shared_ptr<ProducerSource> source;
    std::unique_ptr<Producer> producer;
};

class ProducerEndings {
  public:
    static constexpr std::size_t waiting_max = 8;  // more end where they are handed over

    ProducerEndings();

    // Waits for all of them.
    ~ProducerEndings();
    ProducerEndings(const ProducerEndings&) = delete;
    ProducerEndings& operator=(const ProducerEndings&) = delete;

    // Nothing of the producer is open. From any thread.
    void take(EndingProducer ending);

  private:
    void run();

    std::mutex mutex_;
    std::condition_variable came_;
    std::vector<EndingProducer> waiting_;  // guarded by mutex_
    bool is_stopping_ = false;             // guarded by mutex_

    std::thread thread_;
};

}  // namespace spangate
