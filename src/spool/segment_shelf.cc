#include "spool/segment_shelf.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace spangate {
namespace {

// A stray file with a high number must not make start slow.
constexpr std::uint64_t missing_looked_for_max = 1024;

}  // namespace

SegmentShelf::SegmentShelf(
    FileSystem& files,
    std::string directory,
    SpoolLine line,
    SpoolSpace& space,
    SpoolMetrics& metrics,
    Quarantine& quarantine
)
    : files_(files),
      directory_(std::move(directory)),
      line_(line),
      space_(space),
      metrics_(metrics),
      quarantine_(quarantine) {}

std::string SegmentShelf::path_of(std::uint64_t number) const {
    return directory_ + "/" + segment_name(number);
}

Status SegmentShelf::recover(const SpoolCursor& cursor, bool to_device) {
    const Result<std::vector<std::string>> names = files_.list(directory_);
    if (!names) return tl::unexpected(names.error());
    next_number_ = std::max<std::uint64_t>(cursor.segment, 1);
    std::uint64_t expected = cursor.segment;  // 0: no cursor, so the first one found begins
    for (const std::string& name : *names) {
        const std::uint64_t number = segment_number(name);
        if (number == 0) continue;
        if (number < cursor.segment) {
            (void)files_.remove(path_of(number));
            continue;
        }
        if (expected != 0) count_missing(expected, number);
        expected = number + 1;
        use_number(number);
        if (Status taken = take_in(number, to_device); !taken) return taken;
    }
    return {};
}

Status SegmentShelf::take_in(std::uint64_t number, bool to_device) {
    const std::string path = path_of(number);
    Result<SegmentFacts> facts = inspect_segment(files_, path);
    if (!facts) {
        if (facts.error().code == ErrorCode::unavailable) {
            return fail(ErrorCode::io, facts.error().message);
        }
        const bool is_later = facts.error().code == ErrorCode::unsupported;
        put_aside(number, is_later ? SpoolDamage::version : SpoolDamage::header);
        return {};
    }
    if (facts->header.line != line_ || facts->header.number != number) {
        put_aside(number, SpoolDamage::foreign);
        return {};
    }
    if (!facts->is_sealed) {
        cut_tail(*facts);
        if (facts->extent.records == 0) return {};
        seal(*facts, to_device);
    }
    StoredSegment segment;
    segment.header = facts->header;
    segment.extent = facts->extent;
    segment.counted_bytes = facts->extent.end + facts->header.record_header_bytes;
    space_.count_found(line_, segment.counted_bytes);
    segments_.push_back(segment);
    return {};
}

// A file of a header that is not whole holds nothing when it is too short for a record: its making
// was cut.
void SegmentShelf::put_aside(std::uint64_t number, SpoolDamage damage) {
    std::uint64_t bytes = 0;
    std::string start(segment_start, '\0');
    if (Result<std::unique_ptr<ReadFile>> file = files_.open_read(path_of(number)); file) {
        bytes = (*file)->size().value_or(0);
        start.resize((*file)->read_at(0, start).value_or(0));
    }
    const bool is_blank = start.find_first_not_of('\0') == std::string::npos;
    if (damage == SpoolDamage::header &&
        (bytes < segment_start + record_header_bytes || is_blank)) {
        metrics_.torn_tails.add();
        remove_blank(number);
        return;
    }
    metrics_.count(damage);
    space_.count_found(line_, bytes);
    quarantine_.add_bytes(bytes);
    (void)quarantine_.keep_file(segment_name(number));
}

void SegmentShelf::cut_tail(const SegmentFacts& facts) {
    const std::uint64_t number = facts.header.number;
    if (facts.tail_bytes > 0) {
        metrics_.torn_tails.add();
        Result<std::unique_ptr<ReadFile>> file = files_.open_read(path_of(number));
        if (facts.is_tail_torn && file) {
            SegmentReader reader(std::move(*file), facts.header);
            for (std::uint64_t at = facts.extent.end; at < facts.file_bytes;) {
                const std::string_view bytes = reader.bytes_at(at, facts.file_bytes);
                if (bytes.empty()) break;
                quarantine_.keep_part(number, facts.extent.end, bytes);
                at += bytes.size();
            }
        }
    }
    if (facts.extent.records == 0) {
        remove_blank(number);
        return;
    }
    if (facts.tail_bytes > 0) (void)files_.truncate(path_of(number), facts.extent.end);
}

// So that the next start need not read it whole. It is not needed otherwise, so a device that does
// not take it is no failure.
void SegmentShelf::seal(const SegmentFacts& facts, bool to_device) {
    Result<std::unique_ptr<AppendFile>> file = files_.open_append(path_of(facts.header.number));
    if (!file || (*file)->size() != facts.extent.end) return;
    std::string footer;
    SegmentFormat(facts.header).append_footer(facts.extent.records, facts.extent.end, footer);
    Status sealed = (*file)->append(footer);
    if (sealed && to_device) sealed = (*file)->sync();
}

void SegmentShelf::count_missing(std::uint64_t first, std::uint64_t last) {
    if (last > first + missing_looked_for_max) first = last - missing_looked_for_max;
    for (std::uint64_t number = first; number < last; ++number) {
        if (!quarantine_.has_file(segment_name(number))) {
            metrics_.count(SpoolDamage::missing_segment);
        }
    }
}

// The making of a segment was cut; its number is free again.
void SegmentShelf::remove_blank(std::uint64_t number) {
    const Status removed = files_.remove(path_of(number));
    if (removed && next_number_ == number + 1) next_number_ = number;
}

StoredSegment* SegmentShelf::find(std::uint64_t number) {
    StoredSegment* const segment = number == 0 ? nullptr : after(number - 1);
    return segment != nullptr && segment->header.number == number ? segment : nullptr;
}

StoredSegment* SegmentShelf::after(std::uint64_t number) {
    const auto found = std::upper_bound(
        segments_.begin(),
        segments_.end(),
        number,
        [](std::uint64_t wanted, const StoredSegment& segment) {
            return wanted < segment.header.number;
        }
    );
    return found == segments_.end() ? nullptr : &*found;
}

void SegmentShelf::remove_file(const StoredSegment& segment) {
    const std::uint64_t number = segment.header.number;
    if (segment.is_unreadable && quarantine_.keep_file(segment_name(number))) {
        quarantine_.add_bytes(segment.counted_bytes);
        return;
    }
    leftovers_.push_back({number, segment.counted_bytes});
    remove_leftovers();
}

// What cannot be removed takes room still; the next segment that goes is the next try.
void SegmentShelf::remove_leftovers() {
    std::erase_if(leftovers_, [this](const Leftover& leftover) {
        const std::string path = path_of(leftover.number);
        if (!files_.remove(path)) {
            const auto file = files_.open_read(path);
            if (file || file.error().code != ErrorCode::not_found) return false;
        }
        space_.give_back(line_, leftover.bytes);
        return true;
    });
}

bool SegmentShelf::is_leftover(std::uint64_t number) const {
    return std::any_of(leftovers_.begin(), leftovers_.end(), [number](const Leftover& leftover) {
        return leftover.number == number;
    });
}

void SegmentShelf::remove_oldest() {
    remove_file(segments_.front());
    segments_.pop_front();
}

void SegmentShelf::remove_newest() {
    const std::uint64_t number = segments_.back().header.number;
    remove_file(segments_.back());
    segments_.pop_back();
    if (next_number_ == number + 1 && !is_leftover(number)) next_number_ = number;
}

std::uint64_t SegmentShelf::bytes() const {
    std::uint64_t sum = quarantine_.bytes();
    for (const StoredSegment& segment : segments_)
        sum += segment.counted_bytes;
    for (const Leftover& leftover : leftovers_)
        sum += leftover.bytes;
    return sum;
}

}  // namespace spangate
