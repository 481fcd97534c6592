#include "deliver/producer_endings.h"

#include <utility>

#include <pthread.h>

namespace spangate {

ProducerEndings::ProducerEndings() : thread_([this] { run(); }) {}

ProducerEndings::~ProducerEndings() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    came_.notify_one();
    thread_.join();
}

void ProducerEndings::take(EndingProducer ending) {
    if (ending.producer == nullptr) return;
    {
        const std::lock_guard lock(mutex_);
        if (waiting_.size() >= waiting_max) return;  // ends with the argument, on this thread
        waiting_.push_back(std::move(ending));
    }
    came_.notify_one();
}

void ProducerEndings::run() {
    ::pthread_setname_np(::pthread_self(), "kafka-endings");
    std::unique_lock lock(mutex_);
    while (!is_stopping_ || !waiting_.empty()) {
        came_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
        std::vector<EndingProducer> ending = std::exchange(waiting_, {});
        lock.unlock();
        ending.clear();
        lock.lock();
    }
}

}  // namespace spangate
