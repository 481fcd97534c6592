// A segment file of whatever bytes: nothing is read outside, every walk ends, and the footer's tale
// and the walk's agree on where things stand. Once as it comes, once behind a whole header and with
// checksums put right, so that the fields behind them are reached.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "spool/segment_inspection.h"
#include "spool/segment_reader.h"
#include "support/simulated_disk.h"

namespace {

constexpr const char* path = "/spool/0000000000000001.segment";

void walk(const std::string& bytes) {
    spangate::testing::SimulatedDisk disk(1);
    if (!(*disk.open_append(path, 0600))->append(bytes)) std::abort();
    const spangate::Result<spangate::SegmentFacts> facts = spangate::inspect_segment(disk, path);
    if (!facts) return;
    if (facts->extent.end > facts->file_bytes) std::abort();
    spangate::SegmentReader reader(*disk.open_read(path), facts->header);
    std::uint64_t end = spangate::segment_start;
    while (true) {
        const spangate::SegmentReader::Item item = reader.next(facts->extent);
        if (item.kind == spangate::SegmentReader::Item::Kind::end) break;
        if (item.offset < end || item.end <= item.offset || item.end > facts->extent.end) {
            std::abort();
        }
        end = item.end;
        if (item.kind != spangate::SegmentReader::Item::Kind::record) continue;
        const spangate::SpoolRecord& record = item.header.record;
        const std::size_t sum = record.tenant_id.size() + record.key.size() +
                                record.traceparent.size() + record.value.size();
        if (sum != item.header.body_bytes()) std::abort();
        // Each byte of the views is there.
        volatile char seen = 0;
        for (const char byte : record.value)
            seen = byte;
        for (const char byte : record.tenant_id)
            seen = byte;
        (void)seen;
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string bytes(size, '\0');
    if (size > 0) std::memcpy(bytes.data(), data, size);
    walk(bytes);

    // The input says how long each record is and which of its bytes is hit.
    spangate::SegmentHeader header;
    header.number = 1;
    const spangate::SegmentFormat format(header);
    std::string segment = encode(header);
    std::uint32_t index = 0;
    for (std::size_t at = 0; at + 4 <= size && index < 64; at += 4, ++index) {
        spangate::SpoolRecord record;
        record.value = std::string_view(bytes).substr(0, data[at] % (size + 1));
        record.tenant_id = std::string_view(bytes).substr(at, data[at + 1] % 8);
        const std::size_t start = segment.size();
        const std::uint32_t synced = data[at + 2] % 2 == 0 ? 0 : static_cast<std::uint32_t>(start);
        format.append_record(record, index, synced, start, segment);
        if (data[at + 3] != 0) segment[start + data[at + 3] % (segment.size() - start)] ^= 1;
    }
    if (size % 2 == 0) format.append_footer(index, segment.size(), segment);
    walk(segment);
    return 0;
}
