// Strings of events, kept once each: a session repeats its agents, tools and models thousands of
// times. One thread writes; afterwards any thread reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace spangate {

// The place of a string in a pool; 0 is the empty one, in every pool.
enum class TextId : std::uint32_t {};
inline constexpr TextId no_text{0};

class TextPool {
  public:
    TextPool();
    TextPool(TextPool&&) noexcept = default;
    TextPool& operator=(TextPool&&) noexcept = default;

    [[nodiscard]] TextId intern(std::string_view text);

    // Valid as long as the pool.
    [[nodiscard]] std::string_view operator[](TextId id) const;

    // Bytes of all strings.
    [[nodiscard]] std::size_t bytes() const { return bytes_; }

    void clear();

  private:
    static constexpr std::size_t block_bytes = 64 * 1024;

    struct Text {
        const char* first = nullptr;
        std::uint32_t size = 0;
        std::uint32_t hash = 0;
    };

    [[nodiscard]] const char* keep(std::string_view text);
    void grow_slots();

    std::vector<std::unique_ptr<char[]>> blocks_;  // never move what they hold
    std::size_t block_left_ = 0;                   // bytes, of the last one
    char* block_at_ = nullptr;
    std::vector<Text> texts_;
    std::vector<std::uint32_t> slots_;  // open addressing over texts_; 0: free
    std::size_t bytes_ = 0;
};

}  // namespace spangate
