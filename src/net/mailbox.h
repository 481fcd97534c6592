// Replies on their way from any thread to the thread of their connection. One per worker thread of
// an HttpServer, shared with every ReplyHandle, so that a late reply finds a closed box rather than
// a server that is gone.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "net/http_message.h"

namespace spangate {

class HttpConnection;

class Mailbox {
  public:
    struct Letter {
        std::weak_ptr<HttpConnection> to;
        std::uint64_t request_no = 0;
        HttpResponse response;
    };

    // `wake` is called under the lock, by whoever fills an empty box; it must not block.
    explicit Mailbox(std::function<void()> wake) : wake_(std::move(wake)) {}

    // Any thread. Drops the letter once the box is closed.
    void post(Letter&& letter) {
        const std::lock_guard lock(mutex_);
        if (!wake_) return;
        letters_.push_back(std::move(letter));
        if (letters_.size() == 1) wake_();
    }

    [[nodiscard]] std::vector<Letter> take() {
        const std::lock_guard lock(mutex_);
        return std::exchange(letters_, {});
    }

    void close() {
        const std::lock_guard lock(mutex_);
        wake_ = nullptr;
        letters_.clear();
    }

  private:
    std::mutex mutex_;
    std::function<void()> wake_;   // guarded by mutex_; empty: closed
    std::vector<Letter> letters_;  // guarded by mutex_
};

}  // namespace spangate
