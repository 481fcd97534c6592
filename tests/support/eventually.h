// Waits for what another thread or the kernel brings about, and no longer than it takes.
#pragma once

#include <chrono>
#include <thread>

namespace spangate::testing {

// True as soon as `condition()` is; false when it is not within `wait`.
template <typename Condition>
[[nodiscard]] bool eventually(
    Condition condition, std::chrono::milliseconds wait = std::chrono::seconds(10)
) {
    const auto deadline = std::chrono::steady_clock::now() + wait;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= deadline) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return true;
}

}  // namespace spangate::testing
