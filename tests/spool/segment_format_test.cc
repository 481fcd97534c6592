#include "spool/segment_format.h"

#include <catch2/catch.hpp>

#include "support/spool_context.h"

namespace spangate {
namespace {

using testing::spool_record;

SegmentHeader sample_header() {
    SegmentHeader header;
    header.line = SpoolLine::evidence;
    header.number = 0x1234;
    header.salt = 0xfeed'beef'0123'4567;
    return header;
}

// One record at segment_start.
std::string sample_record() {
    std::string bytes;
    SegmentFormat(sample_header())
        .append_record(spool_record(4).view(), 9, 77, segment_start, bytes);
    return bytes;
}

bool is_whole(const std::string& bytes, std::uint64_t offset, RecordHeader& header) {
    const SegmentFormat format(sample_header());
    if (!format.decode_header(bytes, offset, header)) return false;
    const std::uint64_t end = format.header_bytes() + header.body_bytes();
    if (end > bytes.size()) return false;
    return format.decode_body(
        std::string_view(bytes).substr(format.header_bytes(), header.body_bytes()), header
    );
}

}  // namespace

TEST_CASE("a segment header survives a hit in one of its copies, not in both") {
    const std::string whole = encode(sample_header());
    REQUIRE(whole.size() == segment_start);
    for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
        std::string hit = whole;
        hit[bit / 8] = static_cast<char>(hit[bit / 8] ^ (1 << bit % 8));
        const Result<SegmentHeader> header = decode_segment_header(hit);
        REQUIRE(header.has_value());
        CHECK(header->number == 0x1234);
        CHECK(header->salt == sample_header().salt);
        CHECK(header->line == SpoolLine::evidence);
    }
    std::string both = whole;
    both[9] = static_cast<char>(both[9] ^ 1);
    both[segment_header_bytes + 20] = static_cast<char>(both[segment_header_bytes + 20] ^ 1);
    CHECK(decode_segment_header(both).error().code == ErrorCode::io);
    CHECK(decode_segment_header(whole.substr(1)).error().code == ErrorCode::io);
}

TEST_CASE("a segment that only later versions read says so") {
    SegmentHeader header = sample_header();
    header.version = 7;
    CHECK(decode_segment_header(encode(header)).has_value());
    header.reader_version_min = 2;
    CHECK(decode_segment_header(encode(header)).error().code == ErrorCode::unsupported);
}

TEST_CASE("a record comes back with all that it had") {
    RecordHeader header;
    REQUIRE(is_whole(sample_record(), segment_start, header));
    const testing::OwnedSpoolRecord expected = spool_record(4);
    CHECK(header.index == 9);
    CHECK(header.synced_bytes == 77);
    CHECK(header.record.value == expected.value);
    CHECK(header.record.key == expected.key);
    CHECK(header.record.tenant_id == expected.tenant);
    CHECK(header.record.traceparent == expected.traceparent);
    CHECK(header.record.event_id == expected.view().event_id);
    CHECK(header.record.event_class == EventClass::detail);
    CHECK(header.record.event_type == EventType::inference);
    CHECK(header.record.timestamp_ms == expected.view().timestamp_ms);
    CHECK(header.record.session_hash == expected.view().session_hash);
    CHECK(header.record.gateway_seq == 4);
    CHECK(header.record.gateway_epoch == 12);
    CHECK(header.record.starts_event);
    CHECK_FALSE(header.record.is_evidence_key);
}

TEST_CASE("a record from a later version with a longer header is read") {
    SegmentHeader later = sample_header();
    later.record_header_bytes = 128;
    std::string bytes;
    const SegmentFormat format(later);
    format.append_record(spool_record(5).view(), 0, 0, segment_start, bytes);
    RecordHeader header;
    REQUIRE(format.decode_header(bytes, segment_start, header));
    REQUIRE(format.decode_body(std::string_view(bytes).substr(128, header.body_bytes()), header));
    CHECK(header.record.value == spool_record(5).value);
}

TEST_CASE("no flipped bit and no cut of a record goes unseen, but in its padding") {
    const std::string whole = sample_record();
    RecordHeader header;
    REQUIRE(is_whole(whole, segment_start, header));
    const std::size_t end = record_header_bytes + header.body_bytes();
    for (std::size_t bit = 0; bit < end * 8; ++bit) {
        std::string hit = whole;
        hit[bit / 8] = static_cast<char>(hit[bit / 8] ^ (1 << bit % 8));
        if (is_whole(hit, segment_start, header)) FAIL("bit " << bit << " was not seen");
    }
    for (std::size_t bytes = 0; bytes < end; ++bytes) {
        if (is_whole(whole.substr(0, bytes), segment_start, header)) FAIL("cut at " << bytes);
    }
}

TEST_CASE("a record is none at another offset or in another segment") {
    const std::string whole = sample_record();
    RecordHeader header;
    CHECK_FALSE(is_whole(whole, segment_start + 8, header));
    SegmentHeader other = sample_header();
    other.salt += 1;
    CHECK_FALSE(SegmentFormat(other).decode_header(whole, segment_start, header));
}

TEST_CASE("a segment's file name is its number in 16 hex digits") {
    CHECK(segment_name(0x1a) == "000000000000001a.segment");
    CHECK(segment_number("000000000000001a.segment") == 0x1a);
    for (const char* name :
         {"cursor", "1a.segment", "000000000000001A.segment", "000000000000001a.damaged"}) {
        CHECK(segment_number(name) == 0);
    }
}

}  // namespace spangate
