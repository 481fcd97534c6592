// The bytes on disk that all logs of a spool may take together, with a reserved share for each, so
// that one class without a topic cannot fill the disk for the others. Thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace spangate {

// One log each: `spool/<name>/`.
enum class SpoolLine : std::uint8_t { operational, detail, evidence, dead_letter };
inline constexpr std::array<std::string_view, 4> spool_line_names = {
    "operational", "detail", "evidence", "dead_letter"};
inline constexpr std::size_t spool_lines_count = spool_line_names.size();

[[nodiscard]] constexpr std::string_view name_of(SpoolLine line) {
    return spool_line_names[static_cast<std::size_t>(line)];
}

class SpoolSpace {
  public:
    // A fifth of `bytes_max` is kept free for each of the three classes, until they use it.
    explicit SpoolSpace(std::uint64_t bytes_max);

    // False: it would go over the limit, or into what is reserved for others; nothing is taken.
    [[nodiscard]] bool take(SpoolLine line, std::uint64_t bytes);

    // What stands on disk at start, whatever the limit is today.
    void count_found(SpoolLine line, std::uint64_t bytes);

    void give_back(SpoolLine line, std::uint64_t bytes);

    // Bytes that `line` could still take now.
    [[nodiscard]] std::uint64_t bytes_left(SpoolLine line) const;

    [[nodiscard]] std::uint64_t bytes_used() const;
    [[nodiscard]] std::uint64_t bytes_max() const;

  private:
    // Under the lock.
    [[nodiscard]] std::uint64_t used_all() const;
    [[nodiscard]] std::uint64_t left_for(SpoolLine line) const;

    const std::uint64_t bytes_max_;
    mutable std::mutex mutex_;
    std::array<std::uint64_t, spool_lines_count> used_{};
};

}  // namespace spangate
