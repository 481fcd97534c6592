#include "spool/spool_log.h"

#include <catch2/catch.hpp>

#include "support/spool_context.h"

namespace spangate {
namespace {

using testing::numbers;
using testing::spool_record;
using testing::SpoolContext;

using Numbers = std::vector<std::uint64_t>;

}  // namespace

TEST_CASE("what is stored is read in order, and is not there before the sync") {
    SpoolContext context;
    SpoolLog& log = context.open();
    CHECK(log.is_read_through());
    context.append(1, 3);
    CHECK(log.is_read_through());
    CHECK(log.records_count() == 0);
    REQUIRE(log.sync().has_value());
    CHECK(log.records_count() == 3);
    CHECK_FALSE(log.is_read_through());
    CHECK(context.read() == numbers(1, 3));
    CHECK(log.is_read_through());
    context.store(4, 5);
    CHECK(context.read() == numbers(4, 5));
}

TEST_CASE("a restart reads again what was not acknowledged") {
    SpoolContext context;
    context.open();
    context.store(1, 10);
    Numbers entries;
    context.read(&entries);
    entries.resize(4);
    context.acknowledge(entries);
    REQUIRE(context.log->save_cursor().has_value());
    SpoolLog& log = context.open();
    CHECK(log.records_found() == 6);
    CHECK(context.read() == numbers(5, 10));
    context.store(11, 12);
    CHECK(context.read() == numbers(11, 12));
    context.open();
    CHECK(context.read() == numbers(5, 12));
}

TEST_CASE("rewind goes to the oldest open entry and leaves out what is acknowledged") {
    SpoolContext context;
    SpoolLog& log = context.open();
    context.store(1, 6);
    Numbers entries;
    context.read(&entries);
    context.acknowledge({entries[0], entries[2], entries[4]});
    log.rewind();
    CHECK_FALSE(log.is_read_through());
    Numbers again;
    CHECK(context.read(&again) == Numbers{2, 4, 6});
    CHECK(again == Numbers{entries[1], entries[3], entries[5]});
    CHECK(log.records_count() == 3);
    log.acknowledge(entries[0]);
    CHECK(log.records_count() == 3);
    context.acknowledge(again);
    CHECK(log.records_count() == 0);
    log.rewind();
    CHECK(log.is_read_through());
    CHECK(context.read().empty());
}

TEST_CASE("segments go as they are acknowledged, and the number goes on after a restart") {
    SpoolContext context(4 * 1024 * 1024);
    SpoolLog& log = context.open();
    for (std::uint64_t round = 0; round < 20; ++round) {
        context.store(round * 100 + 1, round * 100 + 100, 500);
    }
    CHECK(context.names().size() > 5);
    const std::uint64_t full = log.bytes();
    CHECK(context.space.bytes_used() == full);
    Numbers entries;
    CHECK(context.read(&entries) == numbers(1, 2000));
    context.acknowledge({entries.begin(), entries.begin() + 1000});
    CHECK(log.bytes() < full * 6 / 10);
    context.acknowledge({entries.begin() + 1000, entries.end()});
    CHECK(context.names() == std::vector<std::string>{"cursor"});
    CHECK(log.bytes() == 0);
    CHECK(context.space.bytes_used() == 0);
    context.store(2001, 2001);
    context.open();
    CHECK(context.read() == Numbers{2001});
    CHECK(context.damages("missing_segment") == 0);
}

TEST_CASE("a record that does not fit in the space is refused alone") {
    SpoolContext context(1024 * 1024);
    SpoolLog& log = context.open();
    context.append(1, 3);
    const Status refused = log.append(spool_record(4, 1024 * 1024).view());
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unavailable);
    context.append(5, 5);
    REQUIRE(log.sync().has_value());
    CHECK(context.read() == Numbers{1, 2, 3, 5});
}

TEST_CASE("records of every size come back") {
    SpoolContext context;
    SpoolLog& log = context.open();
    std::uint64_t number = 0;
    for (const std::size_t bytes :
         {0U,
          1U,
          7U,
          8U,
          4096U,
          65535U,
          65536U,
          131072U,
          262143U,
          262144U,
          262145U,
          786432U,
          9000000U}) {
        REQUIRE(log.append(spool_record(++number, bytes).view()).has_value());
    }
    REQUIRE(log.sync().has_value());
    CHECK(context.read() == numbers(1, number));
    context.open();
    CHECK(context.read() == numbers(1, number));
}

TEST_CASE("after a failed sync nothing of the round is stored, and the next round is") {
    for (const ErrorCode code : {ErrorCode::io, ErrorCode::unavailable}) {
        SpoolContext context;
        SpoolLog& log = context.open();
        context.store(1, 3);
        context.append(4, 5);
        context.files.break_operation("sync", code);
        const Status failed = log.sync();
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().code == code);
        CHECK(context.read() == numbers(1, 3));
        context.files.repair();
        context.store(6, 7);
        CHECK(context.read() == Numbers{6, 7});
        CHECK(context.count("sync_failures_total") == 1);
        // The segment of the failed sync is never written again.
        CHECK(context.names().size() == 2);
        context.open();
        CHECK(context.read() == Numbers{1, 2, 3, 6, 7});
    }
}

TEST_CASE("a full device takes nothing of the round, tears nothing, and may have room again") {
    for (const bool is_first_round : {true, false}) {
        SpoolContext context;
        SpoolLog& log = context.open();
        if (!is_first_round) context.store(1, 3);
        const std::uint64_t used = context.space.bytes_used();
        context.append(4, 5);
        context.files.tear_appends(ErrorCode::unavailable);
        const Status failed = log.sync();
        REQUIRE_FALSE(failed.has_value());
        CHECK(failed.error().code == ErrorCode::unavailable);
        CHECK(context.space.bytes_used() == used);
        context.files.repair();
        context.store(6, 7);
        CHECK(context.read() == (is_first_round ? Numbers{6, 7} : Numbers{1, 2, 3, 6, 7}));
        CHECK(context.names().size() == 1);
        context.open();
        CHECK(context.read() == (is_first_round ? Numbers{6, 7} : Numbers{1, 2, 3, 6, 7}));
    }
}

TEST_CASE("a failed write inside a round fails the round, whatever follows") {
    SpoolContext context;
    SpoolLog& log = context.open();
    context.append(1, 1);
    context.files.break_operation("append", ErrorCode::io);
    CHECK_FALSE(log.append(spool_record(2, 400'000).view()).has_value());
    context.files.repair();
    CHECK_FALSE(log.append(spool_record(3).view()).has_value());
    CHECK_FALSE(log.sync().has_value());
    CHECK(context.read().empty());
    context.store(4, 4);
    CHECK(context.read() == Numbers{4});
    context.open();
    CHECK(context.read() == Numbers{4});
}

}  // namespace spangate
