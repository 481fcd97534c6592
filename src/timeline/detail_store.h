// The detail records of a session, compressed in memory: what a step said and got is looked at one
// step at a time. Written by one thread, then read by one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace spangate {

using DetailNo = std::uint32_t;
inline constexpr DetailNo no_detail = UINT32_MAX;

class DetailStore {
  public:
    // The record as it was stored (JSON, or protobuf made JSON); any size.
    [[nodiscard]] DetailNo add(std::string_view json);

    // Valid until the next call. Cheapest in the order of adding.
    [[nodiscard]] std::string_view read(DetailNo number);

    // Bytes held.
    [[nodiscard]] std::size_t bytes() const;

  private:
    static constexpr std::size_t block_bytes = 256 * 1024;

    struct Place {
        std::uint32_t block = 0;
        std::uint32_t offset = 0;
        std::uint32_t size = 0;
    };

    void close_block();

    std::vector<Place> places_;
    std::vector<std::string> blocks_;  // zstd, all but the open one
    std::string open_;
    std::string shown_;  // the block read last
    std::uint32_t shown_block_ = UINT32_MAX;
};

}  // namespace spangate
