#include "spool/spool_survey.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "spool/quarantine.h"
#include "spool/segment_inspection.h"
#include "spool/segment_reader.h"

namespace spangate {
namespace {

class Surveyor {
  public:
    Surveyor(
        FileSystem& files, const std::string& directory, SpoolLine line, const SpoolRecordSeen& seen
    )
        : files_(files),
          directory_(directory),
          line_(line),
          seen_(seen) {}

    Result<LineSurvey> run() {
        const Result<std::vector<std::string>> names = files_.list(directory_);
        if (!names) return fail(ErrorCode::not_found, names.error().message);
        const Result<std::optional<SpoolCursor>> cursor = load_cursor(files_, directory_);
        survey_.is_cursor_damaged = !cursor;
        if (!cursor) count(SpoolDamage::cursor);
        if (cursor) survey_.cursor = cursor->value_or(SpoolCursor{});
        look_at_quarantine();
        std::uint64_t expected = survey_.cursor.segment;
        for (const std::string& name : *names) {
            const std::uint64_t number = segment_number(name);
            if (number == 0 || number < survey_.cursor.segment) continue;
            if (expected != 0) look_for_missing(expected, number);
            expected = number + 1;
            look_at(number);
        }
        return std::move(survey_);
    }

  private:
    void count(SpoolDamage damage) { ++survey_.damages[static_cast<std::size_t>(damage)]; }

    void look_at_quarantine() {
        const std::string path = Quarantine::directory_in(directory_);
        const Result<std::vector<std::string>> names = files_.list(path);
        if (!names) return;
        for (const std::string& name : *names) {
            const Result<std::unique_ptr<ReadFile>> file = files_.open_read(path + "/" + name);
            ++survey_.quarantine_files;
            if (file) survey_.quarantine_bytes += (*file)->size().value_or(0);
        }
    }

    void look_for_missing(std::uint64_t first, std::uint64_t last) {
        if (last > first + missing_looked_for_max) first = last - missing_looked_for_max;
        const std::string aside = Quarantine::directory_in(directory_) + "/";
        for (std::uint64_t number = first; number < last; ++number) {
            if (files_.open_read(aside + segment_name(number))) continue;
            count(SpoolDamage::missing_segment);
        }
    }

    void look_at(std::uint64_t number) {
        const std::string path = directory_ + "/" + segment_name(number);
        SegmentSurvey segment;
        segment.number = number;
        const Result<SegmentFacts> facts = inspect_segment(files_, path);
        // Acknowledged and removed since the names were listed.
        if (!facts && facts.error().code == ErrorCode::not_found) return;
        if (!facts) {
            segment.whole_damage =
                facts.error().code == ErrorCode::unsupported   ? SpoolDamage::version
                : facts.error().code == ErrorCode::unavailable ? SpoolDamage::unreadable
                                                               : SpoolDamage::header;
        } else if (facts->header.line != line_ || facts->header.number != number) {
            segment.whole_damage = SpoolDamage::foreign;
        } else {
            survey_.tail_bytes += facts->tail_bytes;
            walk(path, *facts, segment);
        }
        if (facts) survey_.file_bytes += facts->file_bytes;
        if (segment.whole_damage) count(*segment.whole_damage);
        survey_.segments.push_back(segment);
    }

    void walk(const std::string& path, const SegmentFacts& facts, SegmentSurvey& segment) {
        Result<std::unique_ptr<ReadFile>> file = files_.open_read(path);
        if (!file) return;
        SegmentReader reader(std::move(*file), facts.header);
        const bool is_cursors = facts.header.number == survey_.cursor.segment &&
                                facts.header.salt == survey_.cursor.salt;
        const std::uint32_t first = is_cursors ? survey_.cursor.index : 0;
        while (true) {
            const SegmentReader::Item item = reader.next(facts.extent);
            if (item.kind == SegmentReader::Item::Kind::end) return;
            if (item.index < first) {
                ++survey_.acknowledged;
                continue;
            }
            if (item.kind == SegmentReader::Item::Kind::record) {
                take(item.header);
                continue;
            }
            ++segment.damaged_places;
            segment.records_lost += item.records_lost;
            survey_.records_lost += item.records_lost;
            count(item.is_unreadable ? SpoolDamage::unreadable : SpoolDamage::checksum);
        }
    }

    void take(const RecordHeader& header) {
        ++survey_.records;
        survey_.record_bytes += header.body_bytes();
        const std::int64_t time = header.record.timestamp_ms;
        survey_.oldest_ms = std::min(survey_.oldest_ms.value_or(time), time);
        survey_.newest_ms = std::max(survey_.newest_ms.value_or(time), time);
        if (seen_) seen_(header);
    }

    static constexpr std::uint64_t missing_looked_for_max = 1024;

    FileSystem& files_;
    const std::string& directory_;
    const SpoolLine line_;
    const SpoolRecordSeen& seen_;
    LineSurvey survey_;
};

}  // namespace

std::uint64_t LineSurvey::damages_count() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t damage : damages)
        sum += damage;
    return sum;
}

Result<LineSurvey> survey_line(
    FileSystem& files, const std::string& directory, SpoolLine line, const SpoolRecordSeen& seen
) {
    return Surveyor(files, directory, line, seen).run();
}

}  // namespace spangate
