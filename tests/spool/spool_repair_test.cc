#include "spool/spool_repair.h"

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "spool/segment_format.h"
#include "spool/spool_survey.h"
#include "support/spool_context.h"

namespace spangate {
namespace {

using testing::numbers;
using testing::SpoolContext;

using Numbers = std::vector<std::uint64_t>;

// 1..400 in several segments, the first 20 acknowledged.
class Left : public SpoolContext {
  public:
    Left() {
        settings.segment_bytes_max = 16 * 1024;
        open();
        for (std::uint64_t first = 1; first <= 400; first += 40)
            store(first, first + 39);
        Numbers entries;
        read(&entries);
        acknowledge({entries.begin(), entries.begin() + 20});
        REQUIRE(log->save_cursor().has_value());
        log.reset();
    }

    [[nodiscard]] std::string path(std::uint64_t segment) const {
        return settings.directory + "/" + segment_name(segment);
    }

    void flip(std::uint64_t segment, std::uint64_t offset) {
        std::fstream file(path(segment), std::ios::in | std::ios::out | std::ios::binary);
        file.seekg(static_cast<std::streamoff>(offset));
        const auto byte = static_cast<char>(file.get() ^ 8);
        file.seekp(static_cast<std::streamoff>(offset));
        file.put(byte);
    }

    LineSurvey survey(const SpoolRecordSeen& seen = {}) {
        Result<LineSurvey> found = survey_line(files, settings.directory, settings.line, seen);
        REQUIRE(found.has_value());
        return *found;
    }
};

}  // namespace

TEST_CASE("a survey counts what waits and what is acknowledged, and changes nothing") {
    Left context;
    Numbers seen;
    const LineSurvey survey = context.survey([&](const RecordHeader& header) {
        seen.push_back(header.record.gateway_seq);
    });
    CHECK(seen == numbers(21, 400));
    CHECK(survey.records == 380);
    CHECK(survey.acknowledged == 20);
    CHECK(survey.damages_count() == 0);
    CHECK(survey.segments.size() > 2);
    CHECK(*survey.oldest_ms == 1'790'000'000'021);
    CHECK(*survey.newest_ms == 1'790'000'000'400);
    CHECK(context.survey().records == 380);
    CHECK(
        survey_line(context.files, "/nowhere/at/all", SpoolLine::detail, {}).error().code ==
        ErrorCode::not_found
    );
}

TEST_CASE("a survey beside the writer takes what is not synced for a tail or for records") {
    Left context;
    SpoolLog& log = context.open();
    context.append(401, 410);
    CHECK(context.survey().records == 380);
    REQUIRE(log.sync().has_value());
    CHECK(context.survey().records == 390);
    CHECK(context.survey().damages_count() == 0);
}

TEST_CASE("repair keeps every whole record that waits, and the damaged segment as it was") {
    Left context;
    context.flip(1, segment_start + 30 * 300);  // behind the acknowledged ones
    context.flip(2, 3000);
    const std::uint64_t lost = context.survey().records_lost;
    CHECK(lost == 2);
    const Result<LineRepair> repair =
        repair_line(context.files, context.settings.directory, context.settings.line);
    REQUIRE(repair.has_value());
    CHECK(repair->rewritten_segments == 2);
    CHECK(repair->lost_records == 2);
    const LineSurvey after = context.survey();
    CHECK(after.damages_count() == 0);
    CHECK(after.records == 378);
    CHECK(after.quarantine_files == 2);
    context.open();
    const Numbers read = context.read();
    CHECK(read.size() == 378);
    CHECK(read.front() == 21);
    CHECK(read.back() == 400);
    CHECK(context.damages("checksum") == 0);
    CHECK(context.damages("missing_segment") == 0);
}

TEST_CASE("repair puts aside what cannot be read, and leaves a whole spool as it is") {
    Left context;
    const Result<LineRepair> nothing =
        repair_line(context.files, context.settings.directory, context.settings.line);
    REQUIRE(nothing.has_value());
    CHECK(nothing->put_aside_files == 0);
    context.flip(2, 9);
    context.flip(2, segment_header_bytes + 9);
    std::ofstream(context.settings.directory + "/cursor", std::ios::trunc) << "?";
    const LineSurvey before = context.survey();
    CHECK(before.is_cursor_damaged);
    const Result<LineRepair> repair =
        repair_line(context.files, context.settings.directory, context.settings.line);
    REQUIRE(repair.has_value());
    CHECK(repair->put_aside_files >= 2);
    CHECK(context.survey().damages_count() == 0);
    CHECK(context.survey().records == before.records);
    context.open();
    CHECK(context.read().back() == 400);
}

TEST_CASE("when repair cannot finish, nothing that could be read is gone") {
    for (const char* operation : {"append", "sync", "rename", "sync_directory", "open"}) {
        Left context;
        context.flip(2, 3000);
        const std::uint64_t records = context.survey().records;
        context.files.break_operation(operation);
        CHECK_FALSE(repair_line(context.files, context.settings.directory, context.settings.line));
        context.files.repair();
        CHECK(context.survey().records == records);
        REQUIRE(repair_line(context.files, context.settings.directory, context.settings.line));
        CHECK(context.survey().records == records);
        CHECK(context.survey().damages_count() == 0);
    }
}

}  // namespace spangate
