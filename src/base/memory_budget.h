// Bytes in the house, process-wide. Whoever takes bytes from outside leases them first; a refused
// lease is how the program says "full" before it has read anything. Thread-safe.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>

namespace spangate {

class MemoryBudget {
  public:
    explicit MemoryBudget(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

    [[nodiscard]] bool take(std::uint64_t bytes) {
        std::uint64_t held = bytes_held_.load(std::memory_order_relaxed);
        do {
            if (bytes > bytes_max_ || held > bytes_max_ - bytes) return false;
        } while (!bytes_held_.compare_exchange_weak(held, held + bytes, std::memory_order_relaxed));
        return true;
    }

    void give_back(std::uint64_t bytes) { bytes_held_.fetch_sub(bytes, std::memory_order_relaxed); }

    [[nodiscard]] std::uint64_t bytes_held() const {
        return bytes_held_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::uint64_t bytes_max() const { return bytes_max_; }

  private:
    const std::uint64_t bytes_max_;
    std::atomic<std::uint64_t> bytes_held_{0};
};

// A share of a budget; gives itself back. Movable, one owner at a time. The budget outlives it, and
// so does `held_by_owner`, if there is one: what all leases of one owner hold together.
class Lease {
  public:
    Lease() = default;

    explicit Lease(MemoryBudget& budget, std::atomic<std::uint64_t>* held_by_owner = nullptr)
        : budget_(&budget),
          held_by_owner_(held_by_owner) {}

    Lease(Lease&& other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)),
          held_by_owner_(std::exchange(other.held_by_owner_, nullptr)),
          bytes_(std::exchange(other.bytes_, 0)) {}

    Lease& operator=(Lease&& other) noexcept {
        if (this != &other) {
            release();
            budget_ = std::exchange(other.budget_, nullptr);
            held_by_owner_ = std::exchange(other.held_by_owner_, nullptr);
            bytes_ = std::exchange(other.bytes_, 0);
        }
        return *this;
    }

    ~Lease() { release(); }

    // Grows the lease to `bytes` in all; false (and unchanged) when the house is full. Never
    // shrinks.
    [[nodiscard]] bool grow_to(std::uint64_t bytes) {
        if (budget_ == nullptr || bytes <= bytes_) return true;
        if (!budget_->take(bytes - bytes_)) return false;
        if (held_by_owner_ != nullptr) {
            held_by_owner_->fetch_add(bytes - bytes_, std::memory_order_relaxed);
        }
        bytes_ = bytes;
        return true;
    }

    // Gives back what is held above `bytes`.
    void shrink_to(std::uint64_t bytes) {
        if (budget_ == nullptr || bytes >= bytes_) return;
        budget_->give_back(bytes_ - bytes);
        if (held_by_owner_ != nullptr) {
            held_by_owner_->fetch_sub(bytes_ - bytes, std::memory_order_relaxed);
        }
        bytes_ = bytes;
    }

    void release() { shrink_to(0); }

    [[nodiscard]] std::uint64_t bytes() const { return bytes_; }

    // What the owner's leases hold together, this one included; without an owner, this one's.
    [[nodiscard]] std::uint64_t bytes_of_owner() const {
        return held_by_owner_ != nullptr ? held_by_owner_->load(std::memory_order_relaxed) : bytes_;
    }

  private:
    MemoryBudget* budget_ = nullptr;
    std::atomic<std::uint64_t>* held_by_owner_ = nullptr;
    std::uint64_t bytes_ = 0;
};

}  // namespace spangate
