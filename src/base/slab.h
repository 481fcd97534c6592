// Reference-counted blocks of bytes that outlive a batch. Encoded records stand in slabs and are
// lent to Kafka without a copy; a slab goes back to its pool when the last record in it is settled.
// So one slow record pins one slab, never a whole batch.
//
//   Slab   [ used ................| free ........ ]   refs = writer (1) + live pieces
//
// A SlabWriter belongs to one thread. Slab::unref may be called from any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace spangate {

class SlabPool;

class Slab {
  public:
    void ref() { refs_.fetch_add(1, std::memory_order_relaxed); }

    void unref();

  private:
    friend class SlabPool;
    friend class SlabWriter;

    Slab(SlabPool& pool, std::size_t capacity)
        : pool_(&pool),
          memory_(new std::byte[capacity]),
          capacity_(capacity) {}

    SlabPool* pool_;
    std::unique_ptr<std::byte[]> memory_;
    std::size_t capacity_;
    std::size_t used_ = 0;
    std::atomic<std::uint32_t> refs_{1};
};

// Keeps up to `slabs_kept_max` idle slabs of the usual size. Outlives all its slabs. Thread-safe.
class SlabPool {
  public:
    explicit SlabPool(std::size_t slab_bytes = 256 * 1024, std::size_t slabs_kept_max = 64)
        : slab_bytes_(slab_bytes),
          slabs_kept_max_(slabs_kept_max) {}

    SlabPool(const SlabPool&) = delete;
    SlabPool& operator=(const SlabPool&) = delete;

    ~SlabPool() {
        for (Slab* slab : idle_)
            delete slab;
    }

    // A slab with at least `bytes` of room and one reference. Never null.
    [[nodiscard]] Slab* acquire(std::size_t bytes) {
        bytes_out_.fetch_add(bytes > slab_bytes_ ? bytes : slab_bytes_, std::memory_order_relaxed);
        if (bytes > slab_bytes_) return new Slab(*this, bytes);
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                Slab* slab = idle_.back();
                idle_.pop_back();
                slab->used_ = 0;
                slab->refs_.store(1, std::memory_order_relaxed);
                return slab;
            }
        }
        return new Slab(*this, slab_bytes_);
    }

    // Bytes of the slabs that are lent out now.
    [[nodiscard]] std::uint64_t bytes_out() const {
        return bytes_out_.load(std::memory_order_relaxed);
    }

  private:
    friend class Slab;

    void take_back(Slab* slab) {
        bytes_out_.fetch_sub(slab->capacity_, std::memory_order_relaxed);
        if (slab->capacity_ == slab_bytes_) {
            const std::lock_guard lock(mutex_);
            if (idle_.size() < slabs_kept_max_) {
                idle_.push_back(slab);
                return;
            }
        }
        delete slab;
    }

    const std::size_t slab_bytes_;
    const std::size_t slabs_kept_max_;
    std::mutex mutex_;
    std::vector<Slab*> idle_;
    std::atomic<std::uint64_t> bytes_out_{0};
};

inline void Slab::unref() {
    // Release what this thread wrote; the last one acquires it all before the bytes are reused.
    if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) pool_->take_back(this);
}

// A piece of a slab; the receiver owns one reference and gives it back with slab->unref().
struct SlabPiece {
    Slab* slab = nullptr;
    char* bytes = nullptr;
};

class SlabWriter {
  public:
    explicit SlabWriter(SlabPool& pool) : pool_(pool) {}

    SlabWriter(const SlabWriter&) = delete;
    SlabWriter& operator=(const SlabWriter&) = delete;

    ~SlabWriter() { finish(); }

    // `bytes` of room, aligned for any object.
    [[nodiscard]] SlabPiece allocate(std::size_t bytes) {
        constexpr std::size_t align = alignof(std::max_align_t);
        bytes = (bytes + align - 1) & ~(align - 1);
        if (slab_ == nullptr || slab_->capacity_ - slab_->used_ < bytes) {
            finish();
            slab_ = pool_.acquire(bytes);
        }
        char* at = reinterpret_cast<char*>(slab_->memory_.get()) + slab_->used_;  // NOLINT
        slab_->used_ += bytes;
        slab_->ref();
        return {slab_, at};
    }

    // Lets the current slab go; the next piece starts a new one.
    void finish() {
        if (slab_ != nullptr) slab_->unref();
        slab_ = nullptr;
    }

  private:
    SlabPool& pool_;
    Slab* slab_ = nullptr;
};

}  // namespace spangate
