// The bytes of a segment file; spool/README.md is the page that describes them.
//
//   [ segment header ×2 | record | record | … | footer ]        all numbers little-endian
//   record = [ record header | tenant id, key, traceparent, value | zeros up to a multiple of 8 ]
//
// The segment header stands twice, so that one hit does not take the whole segment. A record's
// header has a checksum of its own: its length can be trusted though its body is damaged, and a
// search for the next record after damage costs no look at bodies. Both checksums are salted with
// a random number of the segment, and the header's with its offset too: bytes in a value, which
// come from outside, cannot pass for a record. The footer is a record header of another kind, at
// the very end of a segment that was closed in order.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "spool/spool_record.h"
#include "spool/spool_space.h"

namespace spangate {

inline constexpr std::uint16_t segment_version = 1;
inline constexpr std::size_t segment_header_bytes = 64;
inline constexpr std::size_t segment_start = 2 * segment_header_bytes;  // where the first record is
inline constexpr std::size_t record_header_bytes = 104;
inline constexpr std::size_t record_alignment = 8;
inline constexpr std::uint32_t record_body_bytes_max = 256U * 1024 * 1024;
// Offsets are told in 32 bits.
inline constexpr std::uint64_t segment_end_max = 0xffff'fff8;

struct SegmentHeader {
    std::uint16_t version = segment_version;
    // The oldest version whose readers understand this segment; a reader of a lower one puts the
    // file aside whole.
    std::uint16_t reader_version_min = segment_version;
    // A later version may put fields behind ours; readers skip what they do not know.
    std::uint16_t record_header_bytes = spangate::record_header_bytes;
    SpoolLine line = SpoolLine::operational;
    std::uint64_t number = 0;
    std::uint64_t salt = 0;
};

// segment_start bytes: both copies.
[[nodiscard]] std::string encode(const SegmentHeader& header);

// The first whole copy in the first segment_start bytes of a file. `io`: none is whole;
// `unsupported`: of a version that this program does not read.
[[nodiscard]] Result<SegmentHeader> decode_segment_header(std::string_view bytes);

enum class RecordKind : std::uint8_t { record = 1, footer = 2 };

// What stands before a record's bytes, beside what SpoolRecord holds.
struct RecordHeader {
    RecordKind kind = RecordKind::record;
    std::uint32_t index = 0;         // in its segment, from 0; of a footer: how many records
    std::uint32_t synced_bytes = 0;  // of the segment, on the device when this was appended
    std::uint32_t body_checksum = 0;
    std::uint32_t tenant_bytes = 0;
    std::uint32_t key_bytes = 0;
    std::uint32_t traceparent_bytes = 0;
    std::uint32_t value_bytes = 0;
    SpoolRecord record;  // without its texts

    [[nodiscard]] std::uint64_t body_bytes() const {
        return std::uint64_t{tenant_bytes} + key_bytes + traceparent_bytes + value_bytes;
    }
};

// Reads and writes the records of one segment. A value; cheap to copy.
class SegmentFormat {
  public:
    explicit SegmentFormat(const SegmentHeader& header);

    // Bytes of a whole record with a body of this size.
    [[nodiscard]] std::uint64_t record_bytes(std::uint64_t body_bytes) const;

    [[nodiscard]] std::size_t header_bytes() const { return header_bytes_; }

    // Appends one record that will stand at `offset`.
    void append_record(
        const SpoolRecord& record,
        std::uint32_t index,
        std::uint32_t synced_bytes,
        std::uint64_t offset,
        std::string& out
    ) const;
    void append_footer(std::uint32_t records_count, std::uint64_t offset, std::string& out) const;

    // Whether a record header could begin at `at`, by its first record_alignment bytes.
    [[nodiscard]] static bool may_start_at(const char* at);

    // True when `bytes`, header_bytes() long, are a whole header of `offset`; fills `header`.
    [[nodiscard]] bool decode_header(
        std::string_view bytes, std::uint64_t offset, RecordHeader& header
    ) const;

    // True when the body, header.body_bytes() long, is whole; the texts of header.record become
    // views into it.
    [[nodiscard]] bool decode_body(std::string_view body, RecordHeader& header) const;

  private:
    [[nodiscard]] std::uint32_t header_checksum(std::string_view bytes, std::uint64_t offset) const;

    std::uint32_t seed_ = 0;
    std::size_t header_bytes_ = record_header_bytes;
};

// The name of a segment's file: 16 hex digits and ".segment".
[[nodiscard]] std::string segment_name(std::uint64_t number);

// 0: the name is not a segment's.
[[nodiscard]] std::uint64_t segment_number(std::string_view file_name);

}  // namespace spangate
