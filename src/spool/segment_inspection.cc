#include "spool/segment_inspection.h"

#include <memory>
#include <optional>
#include <utility>

namespace spangate {
namespace {

// Fills the extent from the footer; false: there is none at the file's end.
bool read_footer(ReadFile& file, SegmentFacts& facts) {
    const SegmentFormat format(facts.header);
    std::string bytes(format.header_bytes(), '\0');
    if (facts.file_bytes < segment_start + bytes.size()) return false;
    const std::uint64_t offset = facts.file_bytes - bytes.size();
    const Result<std::size_t> filled = file.read_at(offset, bytes);
    RecordHeader footer;
    const bool is_footer = filled && *filled == bytes.size() &&
                           format.decode_header(bytes, offset, footer) &&
                           footer.kind == RecordKind::footer;
    if (is_footer) facts.extent = {offset, footer.index};
    return is_footer;
}

constexpr std::uint64_t sector_bytes = 512;

// Whether a whole sector of zeros lies in [begin, end): what a power cut leaves of a file that
// grew.
bool has_hole(SegmentReader& reader, std::uint64_t begin, std::uint64_t end) {
    std::uint64_t sector = (begin + sector_bytes - 1) / sector_bytes * sector_bytes;
    while (sector + sector_bytes <= end) {
        const std::string_view block = reader.bytes_at(sector, end);
        if (block.size() < sector_bytes) return false;
        for (std::size_t at = 0; at + sector_bytes <= block.size(); at += sector_bytes) {
            const std::string_view bytes = block.substr(at, sector_bytes);
            if (bytes.find_first_not_of('\0') == std::string_view::npos) return true;
        }
        sector += block.size() / sector_bytes * sector_bytes;
    }
    return false;
}

struct Tail {
    std::uint64_t begin = 0;
    bool is_hole = false;
    bool is_torn = false;
};

// Walks to the end. What is damaged there is a tail that no sync covered. Damage with whole records
// behind it is damage of stored records; but a hole of whole sectors, behind which no record says
// that these bytes had been synced, is what a power cut leaves of the last round: then nothing from
// there on was acknowledged, and all of it goes, so that the younger records of a session do not
// come back without the older ones.
void find_end(SegmentReader& reader, SegmentFacts& facts) {
    const SegmentExtent whole{facts.file_bytes, SegmentExtent::unknown_records};
    std::optional<Tail> tail;
    std::uint64_t end = segment_start;
    std::uint32_t records = 0;
    std::uint64_t damage_end = 0;
    while (true) {
        const SegmentReader::Item item = reader.next(whole);
        if (item.kind == SegmentReader::Item::Kind::end) break;
        if (item.kind == SegmentReader::Item::Kind::damage) {
            // A hole may begin in the damaged record in front.
            const std::uint64_t begin =
                item.offset == damage_end ? item.offset / sector_bytes * sector_bytes : item.offset;
            const bool is_hole = item.is_cut || has_hole(reader, begin, item.end);
            if (!tail) tail = Tail{item.offset, false, !item.is_cut};
            tail->is_hole = tail->is_hole || is_hole;
            damage_end = item.end;
            continue;
        }
        if (tail && tail->is_hole && item.header.synced_bytes <= tail->begin) {
            tail->is_torn = true;
            continue;
        }
        tail.reset();
        end = item.end;
        records = item.index + 1;
    }
    facts.extent = {end, records};
    facts.is_tail_torn = tail && tail->is_torn;
    facts.tail_bytes = facts.file_bytes - end;
}

}  // namespace

Result<SegmentFacts> inspect_segment(FileSystem& files, const std::string& path) {
    Result<std::unique_ptr<ReadFile>> file = files.open_read(path);
    if (!file) {
        const bool is_gone = file.error().code == ErrorCode::not_found;
        return fail(is_gone ? ErrorCode::not_found : ErrorCode::unavailable, file.error().message);
    }
    SegmentFacts facts;
    const Result<std::uint64_t> size = (*file)->size();
    if (!size) return fail(ErrorCode::unavailable, size.error().message);
    facts.file_bytes = *size;
    const Result<SegmentHeader> header = SegmentReader::read_header(**file);
    if (!header) {
        const bool is_later = header.error().code == ErrorCode::unsupported;
        return fail(is_later ? ErrorCode::unsupported : ErrorCode::io, header.error().message);
    }
    facts.header = *header;
    facts.is_sealed = read_footer(**file, facts);
    if (facts.is_sealed) return facts;
    SegmentReader reader(std::move(*file), facts.header);
    find_end(reader, facts);
    return facts;
}

}  // namespace spangate
