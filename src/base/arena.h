// A bump allocator for one batch: everything a lane makes for a batch stands here and is forgotten
// at once by reset(). Not thread-safe; one owner. Memory is kept across resets, so a lane in steady
// state takes nothing from the heap (refills() tells a test). Objects are never destroyed: store
// only trivially destructible ones.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace spangate {

class Arena {
  public:
    explicit Arena(std::size_t block_bytes = 64 * 1024) : block_bytes_(block_bytes) {}

    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;

    [[nodiscard]] void* allocate(std::size_t bytes, std::size_t align) {
        std::uintptr_t at = (cursor_ + (align - 1)) & ~(static_cast<std::uintptr_t>(align) - 1);
        if (at + bytes > end_) {
            refill(bytes + align);
            at = (cursor_ + (align - 1)) & ~(static_cast<std::uintptr_t>(align) - 1);
        }
        cursor_ = at + bytes;
        return reinterpret_cast<void*>(at);  // NOLINT: an address computed in this block
    }

    template <typename T, typename... Args>
    [[nodiscard]] T* make(Args&&... args) {
        static_assert(std::is_trivially_destructible_v<T>);
        return new (allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
    }

    // `count` value-initialised elements.
    template <typename T>
    [[nodiscard]] std::span<T> make_array(std::size_t count) {
        static_assert(std::is_trivially_destructible_v<T>);
        if (count == 0) return {};
        T* first = static_cast<T*>(allocate(sizeof(T) * count, alignof(T)));
        for (std::size_t i = 0; i < count; ++i)
            new (first + i) T{};
        return {first, count};
    }

    template <typename T>
    [[nodiscard]] std::span<T> copy_array(std::span<const T> source) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (source.empty()) return {};
        T* first = static_cast<T*>(allocate(source.size_bytes(), alignof(T)));
        std::memcpy(static_cast<void*>(first), source.data(), source.size_bytes());
        return {first, source.size()};
    }

    [[nodiscard]] std::string_view copy(std::string_view text) {
        if (text.empty()) return {};
        char* at = static_cast<char*>(allocate(text.size(), 1));
        std::memcpy(at, text.data(), text.size());
        return {at, text.size()};
    }

    // Forgets everything. Blocks of the usual size are kept, up to `keep_blocks_max`; larger ones
    // go back.
    void reset(std::size_t keep_blocks_max = 64) {
        std::erase_if(blocks_, [this](const Block& block) { return block.bytes != block_bytes_; });
        if (blocks_.size() > keep_blocks_max) blocks_.resize(keep_blocks_max);
        next_block_ = 0;
        cursor_ = end_ = 0;
    }

    // How often memory was taken from the heap since construction.
    [[nodiscard]] std::uint64_t refills() const { return refills_; }

  private:
    struct Block {
        std::unique_ptr<std::byte[]> memory;
        std::size_t bytes = 0;
    };

    void refill(std::size_t bytes_needed) {
        if (bytes_needed <= block_bytes_ && next_block_ < blocks_.size()) {
            use(blocks_[next_block_++]);
            return;
        }
        ++refills_;
        const std::size_t bytes = std::max(bytes_needed, block_bytes_);
        Block block{std::unique_ptr<std::byte[]>(new std::byte[bytes]), bytes};
        use(block);
        // Blocks before next_block_ are in use, so an odd-sized one goes among them.
        blocks_.insert(
            blocks_.begin() + static_cast<std::ptrdiff_t>(next_block_), std::move(block)
        );
        ++next_block_;
    }

    void use(const Block& block) {
        cursor_ = reinterpret_cast<std::uintptr_t>(block.memory.get());  // NOLINT
        end_ = cursor_ + block.bytes;
    }

    std::size_t block_bytes_;
    std::vector<Block> blocks_;
    std::size_t next_block_ = 0;
    std::uintptr_t cursor_ = 0;
    std::uintptr_t end_ = 0;
    std::uint64_t refills_ = 0;
};

}  // namespace spangate
