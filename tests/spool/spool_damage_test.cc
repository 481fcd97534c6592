// What damage of files costs: the table of spool/README.md, line by line.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "spool/segment_format.h"
#include "spool/segment_inspection.h"
#include "spool/spool_log.h"
#include "support/spool_context.h"

namespace spangate {
namespace {

using testing::numbers;
using testing::SpoolContext;

using Numbers = std::vector<std::uint64_t>;

std::string bytes_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A log of many segments, filled with 1..records and closed.
class Filled : public SpoolContext {
  public:
    explicit Filled(std::uint64_t records, std::size_t bytes = 100) {
        settings.segment_bytes_max = 64 * 1024;
        open();
        for (std::uint64_t first = 1; first <= records; first += 50) {
            store(first, std::min(first + 49, records), bytes);
        }
        log.reset();
        for (const std::string& name : names()) {
            if (segment_number(name) != 0) segments.push_back(settings.directory + "/" + name);
        }
    }

    std::size_t quarantined() {
        const auto kept = files.list(settings.directory + "/quarantine");
        return kept ? kept->size() : 0;
    }

    std::vector<std::string> segments;
};

}  // namespace

TEST_CASE("of 1,000 flipped bits only the records they hit are lost, counted and kept aside") {
    Filled context(5000, 300);
    std::mt19937_64 random(7);
    // Where each record stands, told by the files themselves before they are hit.
    std::set<std::pair<std::size_t, std::uint32_t>> hit_records;
    std::vector<SegmentFacts> facts;
    std::vector<std::vector<std::pair<std::uint64_t, std::uint64_t>>> places;
    std::vector<std::string> contents;
    for (const std::string& path : context.segments) {
        facts.push_back(*inspect_segment(context.files, path));
        SegmentReader reader(*context.files.open_read(path), facts.back().header);
        places.emplace_back();
        while (true) {
            const SegmentReader::Item item = reader.next(facts.back().extent);
            if (item.kind != SegmentReader::Item::Kind::record) break;
            places.back().emplace_back(
                item.offset, item.offset + record_header_bytes + item.header.body_bytes()
            );
        }
        contents.push_back(bytes_of(path));
    }
    for (int flip = 0; flip < 1000; ++flip) {
        const std::size_t segment = random() % contents.size();
        const std::uint64_t offset = random() % contents[segment].size();
        contents[segment][offset] =
            static_cast<char>(contents[segment][offset] ^ (1 << random() % 8));
        for (std::uint32_t i = 0; i < places[segment].size(); ++i) {
            const auto [begin, end] = places[segment][i];
            if (offset >= begin && offset < end) hit_records.emplace(segment, i);
        }
    }
    for (std::size_t i = 0; i < contents.size(); ++i)
        write(context.segments[i], contents[i]);

    SpoolLog& log = context.open();
    CHECK(log.records_found() == 5000);
    const Numbers read = context.read();
    std::set<std::uint64_t> lost;
    std::uint64_t first = 1;
    for (std::size_t segment = 0; segment < places.size(); ++segment) {
        for (std::uint32_t i = 0; i < places[segment].size(); ++i, ++first) {
            if (hit_records.contains({segment, i})) lost.insert(first);
        }
    }
    Numbers expected;
    for (const std::uint64_t number : numbers(1, 5000)) {
        if (!lost.contains(number)) expected.push_back(number);
    }
    CHECK(lost.size() > 700);
    CHECK(read == expected);
    CHECK(context.count("corrupt_records_total") == lost.size());
    CHECK(log.records_count() == expected.size());
    CHECK(context.quarantined() > 0);
    CHECK(context.count("quarantine_refused_bytes_total") == 0);
}

TEST_CASE("a flipped bit in the last round of a killed process takes only its record") {
    Filled context(100);
    // As if killed: without the footer.
    const SegmentFacts facts = *inspect_segment(context.files, context.segments.back());
    std::string bytes = bytes_of(context.segments.back()).substr(0, facts.extent.end);
    bytes[bytes.size() - 1000] ^= 4;
    write(context.segments.back(), bytes);
    context.open();
    CHECK(context.read().size() == 99);
    CHECK(context.count("corrupt_records_total") == 1);
}

TEST_CASE("a segment cut at any byte gives every record in front of the cut") {
    Filled context(20, 40);
    REQUIRE(context.segments.size() == 1);
    const std::string whole = bytes_of(context.segments[0]);
    const SegmentFacts facts = *inspect_segment(context.files, context.segments[0]);
    const std::uint64_t end = facts.extent.end;
    std::size_t before = 0;
    for (std::size_t size = 0; size <= end; size += 3) {
        write(context.segments[0], whole.substr(0, size));
        context.open();
        const Numbers read = context.read();
        CHECK(read == numbers(1, read.size()));
        CHECK(read.size() >= before);
        before = read.size();
        CHECK(context.count("corrupt_records_total") == 0);
        context.store(100, 100, 40);
        CHECK(context.read() == Numbers{100});
        context.log.reset();
        for (const std::string& name : context.names()) {
            std::filesystem::remove(context.settings.directory + "/" + name);
        }
    }
    CHECK(before >= 19);
    CHECK(context.count("torn_tails_total") > 0);
}

TEST_CASE("a cut in a segment that was closed in order is damage") {
    Filled context(1000);
    REQUIRE(context.segments.size() > 2);
    context.open();
    // After start knew its length.
    const std::string whole = bytes_of(context.segments[0]);
    std::filesystem::resize_file(context.segments[0], whole.size() / 2);
    const Numbers read = context.read();
    CHECK(read.back() == 1000);
    CHECK(read.size() + context.count("corrupt_records_total") == 1000);
    CHECK(context.log->records_count() == read.size());
}

TEST_CASE("a missing segment is counted and reading goes on") {
    Filled context(1000);
    std::filesystem::remove(context.segments[1]);
    context.open();
    const Numbers read = context.read();
    CHECK(read.front() == 1);
    CHECK(read.back() == 1000);
    CHECK(read.size() < 1000);
    CHECK(context.damages("missing_segment") == 1);
}

TEST_CASE("a segment unlinked under our feet is counted and reading goes on") {
    Filled context(1000);
    SpoolLog& log = context.open();
    std::filesystem::remove(context.segments[1]);
    const Numbers read = context.read();
    CHECK(read.back() == 1000);
    CHECK(context.damages("missing_segment") == 1);
    CHECK(read.size() + context.count("corrupt_records_total") == 1000);
    CHECK(log.records_count() == read.size());
    CHECK(log.is_read_through());
}

TEST_CASE("without a whole cursor everything is read again") {
    for (const bool is_damaged : {false, true}) {
        Filled context(1000);
        context.open();
        Numbers entries;
        context.read(&entries);
        context.acknowledge({entries.begin(), entries.begin() + 10});
        REQUIRE(context.log->save_cursor().has_value());
        const std::string path = context.settings.directory + "/cursor";
        std::string bytes = bytes_of(path);
        bytes[20] ^= 1;
        std::filesystem::remove(path);
        if (is_damaged) write(path, bytes);
        context.open();
        CHECK(context.read() == numbers(1, 1000));
        CHECK(context.damages("cursor") == (is_damaged ? 1 : 0));
    }
}

TEST_CASE("a segment of a later version, another line or without a header is set aside whole") {
    Filled context(1000);
    REQUIRE(context.segments.size() > 3);
    const std::string part = bytes_of(context.segments[0]).substr(segment_start);
    SegmentHeader later = inspect_segment(context.files, context.segments[0])->header;
    later.reader_version_min = 9;
    write(context.segments[0], encode(later) + part);
    SegmentHeader foreign = inspect_segment(context.files, context.segments[1])->header;
    foreign.line = SpoolLine::evidence;
    write(context.segments[1], encode(foreign) + part);
    write(context.segments[2], std::string(segment_start, 'x') + part);
    context.open();
    const Numbers read = context.read();
    CHECK(read.back() == 1000);
    CHECK(context.quarantined() == 3);
    CHECK(context.damages("version") == 1);
    CHECK(context.damages("foreign") == 1);
    CHECK(context.damages("header") == 1);
    // Told once, not at every start.
    context.open();
    CHECK(context.damages("missing_segment") == 0);
    CHECK(context.read() == read);
    CHECK(context.space.bytes_used() == context.log->bytes());
}

TEST_CASE("what the device does not give is skipped, and its segment is kept aside, not removed") {
    Filled context(1000);
    context.open();
    context.files.break_operation("read_at", ErrorCode::io, segment_name(2));
    Numbers entries;
    const Numbers read = context.read(&entries);
    CHECK(read.size() < 1000);
    CHECK(read.back() == 1000);
    CHECK(context.damages("unreadable") > 0);
    context.files.repair();
    context.acknowledge(entries);
    CHECK(context.log->records_count() == 0);
    CHECK(std::filesystem::exists(context.settings.directory + "/quarantine/" + segment_name(2)));
}

TEST_CASE("a value that looks like a record is never taken for one") {
    SpoolContext context;
    context.open();
    context.store(1, 3);
    const std::string path = context.settings.directory + "/" + segment_name(1);
    // A whole record of this very segment, as a client might have got hold of, inside a value.
    const std::string inner = bytes_of(path).substr(segment_start);
    testing::OwnedSpoolRecord outer = testing::spool_record(4);
    outer.value = std::string(7 * 8 - outer.tenant.size() - outer.key.size(), ' ') + inner;
    outer.traceparent.clear();
    REQUIRE(context.log->append(outer.view()).has_value());
    REQUIRE(context.log->sync().has_value());
    context.store(5, 5);
    context.log.reset();
    std::string bytes = bytes_of(path);
    const std::size_t at = bytes.find(inner, segment_start + inner.size());
    REQUIRE(at != std::string::npos);
    CHECK(at % record_alignment == 0);
    bytes[segment_start + inner.size() + 10] ^= 1;  // the header of record 4
    write(path, bytes);
    context.open();
    CHECK(context.read() == Numbers{1, 2, 3, 5});
}

}  // namespace spangate
