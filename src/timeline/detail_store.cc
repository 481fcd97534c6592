#include "timeline/detail_store.h"

#include <zstd.h>

#include "base/check.h"

namespace spangate {
namespace {

constexpr int compression_level = 1;

std::string compressed(const std::string& block) {
    std::string packed(ZSTD_compressBound(block.size()), '\0');
    const std::size_t size =
        ZSTD_compress(packed.data(), packed.size(), block.data(), block.size(), compression_level);
    SPANGATE_CHECK(ZSTD_isError(size) == 0);
    packed.resize(size);
    packed.shrink_to_fit();
    return packed;
}

std::string decompressed(const std::string& packed) {
    std::string block(ZSTD_getFrameContentSize(packed.data(), packed.size()), '\0');
    const std::size_t size =
        ZSTD_decompress(block.data(), block.size(), packed.data(), packed.size());
    SPANGATE_CHECK(size == block.size());
    return block;
}

}  // namespace

DetailNo DetailStore::add(std::string_view json) {
    if (!open_.empty() && open_.size() + json.size() > block_bytes) close_block();
    Place place;
    place.block = static_cast<std::uint32_t>(blocks_.size());
    place.offset = static_cast<std::uint32_t>(open_.size());
    place.size = static_cast<std::uint32_t>(json.size());
    open_ += json;
    places_.push_back(place);
    return static_cast<DetailNo>(places_.size() - 1);
}

std::string_view DetailStore::read(DetailNo number) {
    const Place& place = places_[number];
    if (place.block == blocks_.size()) {
        return std::string_view(open_).substr(place.offset, place.size);
    }
    if (shown_block_ != place.block) {
        shown_ = decompressed(blocks_[place.block]);
        shown_block_ = place.block;
    }
    return std::string_view(shown_).substr(place.offset, place.size);
}

std::size_t DetailStore::bytes() const {
    std::size_t sum = open_.capacity() + shown_.capacity() + places_.capacity() * sizeof(Place);
    for (const std::string& block : blocks_)
        sum += block.capacity();
    return sum;
}

void DetailStore::close_block() {
    blocks_.push_back(compressed(open_));
    open_.clear();
}

}  // namespace spangate
