#include <algorithm>
#include <utility>

#include "spool/spool_log_state.h"

namespace spangate {

Result<std::optional<SpoolEntry>> SpoolLog::State::read_next() {
    while (const std::optional<EntryWindow::Again> again = window.next_again()) {
        Result<std::optional<SpoolEntry>> entry = read_again(*again);
        if (!entry || *entry) return entry;
    }
    return read_onward();
}

// Nothing: it was whole once and is not any more.
Result<std::optional<SpoolEntry>> SpoolLog::State::read_again(const EntryWindow::Again& again) {
    StoredSegment* const segment = shelf.find(again.place.segment);
    if (segment != nullptr) {
        const Status opened = open_reader(*segment);
        if (!opened && opened.error().code != ErrorCode::not_found) {
            window.put_back();
            return tl::unexpected(opened.error());
        }
        if (opened) {
            reader->seek(again.place.offset, again.place.index);
            const SegmentReader::Item item = reader->next(segment->extent);
            if (item.kind == SegmentReader::Item::Kind::record) {
                return SpoolEntry{again.entry_no, item.header.record};
            }
            note_damage(
                *segment, {item.kind, item.offset, item.end, {}, item.index, 0, false, false}
            );
        } else {
            metrics.count(SpoolDamage::missing_segment);
        }
    }
    metrics.lost_records.add();
    (void)window.acknowledge(again.entry_no);
    --records_stored;
    return std::nullopt;
}

Result<std::optional<SpoolEntry>> SpoolLog::State::read_onward() {
    while (!is_frontier_at_end()) {
        StoredSegment& segment = *shelf.find(frontier.segment);
        const Status opened = open_reader(segment);
        if (!opened && opened.error().code != ErrorCode::not_found) {
            return tl::unexpected(opened.error());
        }
        if (!opened) {
            skip_gone(segment);
            continue;
        }
        reader->seek(frontier.offset, frontier.index);
        const SegmentReader::Item item = reader->next(segment.extent);
        const RecordPlace place{frontier.segment, item.offset, item.index};
        frontier.offset = reader->position();
        frontier.index = reader->next_index();
        if (item.kind == SegmentReader::Item::Kind::record) {
            return SpoolEntry{window.add(place), item.header.record};
        }
        if (item.kind == SegmentReader::Item::Kind::damage) note_damage(segment, item);
        frontier.offset = std::max(frontier.offset, item.end);
    }
    return std::nullopt;
}

Status SpoolLog::State::open_reader(const StoredSegment& segment) {
    if (reader != nullptr && reader_segment == segment.header.number) return {};
    Result<std::unique_ptr<ReadFile>> file = files.open_read(shelf.path_of(segment.header.number));
    if (!file) return tl::unexpected(std::move(file.error()));
    reader = std::make_unique<SegmentReader>(std::move(*file), segment.header);
    reader_segment = segment.header.number;
    return {};
}

// The file was taken away under our feet: what was not read of it is lost.
void SpoolLog::State::skip_gone(StoredSegment& segment) {
    const std::uint64_t lost =
        segment.extent.records - std::min(segment.extent.records, frontier.index);
    metrics.count(SpoolDamage::missing_segment);
    metrics.lost_records.add(lost);
    records_stored -= std::min(records_stored, lost);
    frontier.offset = segment.extent.end;
    frontier.index = segment.extent.records;
}

void SpoolLog::State::note_damage(StoredSegment& segment, const SegmentReader::Item& item) {
    metrics.count(item.is_unreadable ? SpoolDamage::unreadable : SpoolDamage::checksum);
    metrics.lost_records.add(item.records_lost);
    records_stored -= std::min<std::uint64_t>(records_stored, item.records_lost);
    segment.is_unreadable = segment.is_unreadable || item.is_unreadable;
    for (std::uint64_t at = item.offset; at < item.end;) {
        const std::string_view bytes = reader->bytes_at(at, item.end);
        if (bytes.empty()) break;
        quarantine.keep_part(segment.header.number, item.offset, bytes);
        at += bytes.size();
    }
}

void SpoolLog::State::forget_reader_of(std::uint64_t segment) {
    if (reader_segment != segment) return;
    reader.reset();
    reader_segment = 0;
}

// The frontier leaves a segment that is read through and will not grow. With no segment behind it,
// it waits at the number that the next one will have.
void SpoolLog::State::pass_ended_segments() {
    while (true) {
        const StoredSegment* const segment = shelf.find(frontier.segment);
        if (segment != nullptr && (frontier.offset < segment->extent.end || segment->is_written)) {
            return;
        }
        const StoredSegment* const next = shelf.after(frontier.segment);
        const std::uint64_t number = next == nullptr ? shelf.next_number() : next->header.number;
        if (number == frontier.segment) return;
        frontier = {number, segment_start, 0};
        if (next == nullptr) return;
    }
}

bool SpoolLog::State::is_frontier_at_end() {
    pass_ended_segments();
    const StoredSegment* const segment = shelf.find(frontier.segment);
    return segment == nullptr || frontier.offset >= segment->extent.end;
}

}  // namespace spangate
