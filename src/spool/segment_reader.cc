#include "spool/segment_reader.h"

#include <algorithm>
#include <utility>

namespace spangate {
namespace {

constexpr std::uint64_t block_bytes = 512 * 1024;
constexpr std::uint64_t page_bytes = 4096;

}  // namespace

SegmentReader::SegmentReader(std::unique_ptr<ReadFile> file, const SegmentHeader& header)
    : file_(std::move(file)),
      format_(header) {}

Result<SegmentHeader> SegmentReader::read_header(ReadFile& file) {
    std::string bytes(segment_start, '\0');
    const Result<std::size_t> filled = file.read_at(0, bytes);
    if (!filled) return fail(ErrorCode::unavailable, filled.error().message);
    bytes.resize(*filled);
    return decode_segment_header(bytes);
}

void SegmentReader::seek(std::uint64_t offset, std::uint32_t index) {
    position_ = offset;
    next_index_ = index;
}

SegmentReader::Item SegmentReader::next(const SegmentExtent& extent) {
    Item item;
    item.offset = position_;
    item.end = position_;
    item.index = next_index_;
    if (position_ >= extent.end) return item;
    const std::string_view bytes = view(position_, format_.header_bytes(), extent.end);
    if (!format_.decode_header(bytes, position_, item.header)) {
        return damage_before_next(extent, item);
    }
    if (item.header.kind == RecordKind::footer) {
        position_ = extent.end;
        item.end = position_;
        return item;
    }
    if (item.header.index != next_index_) {
        // Whoever sought to a wrong index is put right; a search counts what lies between itself.
        next_index_ = item.header.index;
        item.index = next_index_;
    }
    return whole_record(extent, item);
}

SegmentReader::Item SegmentReader::whole_record(const SegmentExtent& extent, Item item) {
    const std::uint64_t body_bytes = item.header.body_bytes();
    const std::uint64_t record_end = item.offset + format_.record_bytes(body_bytes);
    item.is_cut = record_end > extent.end;
    item.end = std::min(record_end, extent.end);
    const std::string_view bytes = view(item.offset, format_.header_bytes() + body_bytes, item.end);
    const bool is_whole = !item.is_cut && bytes.size() == format_.header_bytes() + body_bytes &&
                          format_.decode_body(bytes.substr(format_.header_bytes()), item.header);
    item.kind = is_whole ? Item::Kind::record : Item::Kind::damage;
    if (!is_whole) {
        item.records_lost = 1;
        item.is_unreadable = is_unreadable(item.offset, item.end);
    }
    position_ = item.end;
    ++next_index_;
    return item;
}

SegmentReader::Item SegmentReader::damage_before_next(const SegmentExtent& extent, Item item) {
    RecordHeader found;
    const std::uint64_t begin = item.offset;
    item.kind = Item::Kind::damage;
    item.end = find_header(begin + record_alignment, extent.end, found);
    item.is_cut = extent.end - begin < format_.header_bytes();
    item.is_unreadable = is_unreadable(begin, item.end);
    const std::uint32_t next = item.end < extent.end ? found.index : extent.records;
    const bool is_told = next != SegmentExtent::unknown_records;
    item.records_lost = 1;
    if (is_told) item.records_lost = next > next_index_ ? next - next_index_ : 0;
    position_ = item.end;
    next_index_ += item.records_lost;
    return item;
}

std::uint64_t SegmentReader::find_header(
    std::uint64_t from, std::uint64_t end, RecordHeader& found
) {
    while (from < end) {
        const std::string_view block = bytes_at(from, end);
        if (block.size() < record_alignment) return end;
        std::uint64_t skipped = 0;
        for (; skipped + record_alignment <= block.size(); skipped += record_alignment) {
            if (SegmentFormat::may_start_at(block.data() + skipped)) break;
        }
        from += skipped;
        if (skipped + record_alignment > block.size()) continue;
        const std::string_view bytes = view(from, format_.header_bytes(), end);
        if (format_.decode_header(bytes, from, found)) return from;
        from += record_alignment;
    }
    return end;
}

std::string_view SegmentReader::bytes_at(std::uint64_t offset, std::uint64_t end) {
    return view(offset, block_bytes, end);
}

std::string_view SegmentReader::view(std::uint64_t offset, std::uint64_t bytes, std::uint64_t end) {
    if (offset >= end) return {};
    bytes = std::min(bytes, end - offset);
    const bool is_buffered =
        offset >= buffer_offset_ && offset + bytes <= buffer_offset_ + buffer_.size();
    if (!is_buffered) fill(offset, std::min(std::max(bytes, block_bytes), end - offset));
    const std::string_view buffered(buffer_);
    return buffered.substr(offset - buffer_offset_, bytes);
}

void SegmentReader::fill(std::uint64_t offset, std::uint64_t bytes) {
    if (buffer_.capacity() > 2 * block_bytes && bytes <= block_bytes) buffer_ = std::string();
    buffer_offset_ = offset;
    buffer_.resize(bytes);
    const Result<std::size_t> filled = file_->read_at(offset, buffer_);
    if (filled) {
        buffer_.resize(*filled);
    } else {
        fill_by_pages(offset);
    }
}

// What the device does not give reads as zeros, which no checksum takes for a record.
void SegmentReader::fill_by_pages(std::uint64_t offset) {
    for (std::size_t begin = 0; begin < buffer_.size(); begin += page_bytes) {
        const std::span<char> page = std::span(buffer_).subspan(
            begin, std::min<std::size_t>(page_bytes, buffer_.size() - begin)
        );
        const Result<std::size_t> filled = file_->read_at(offset + begin, page);
        if (filled) continue;
        std::fill(page.begin(), page.end(), '\0');
        const std::uint64_t page_begin = offset + begin;
        if (page_begin > unreadable_end_ || unreadable_end_ == 0) unreadable_begin_ = page_begin;
        unreadable_begin_ = std::min(unreadable_begin_, page_begin);
        unreadable_end_ = std::max(unreadable_end_, page_begin + page.size());
    }
}

bool SegmentReader::is_unreadable(std::uint64_t begin, std::uint64_t end) const {
    return begin < unreadable_end_ && unreadable_begin_ < end;
}

}  // namespace spangate
