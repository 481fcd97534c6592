#include "spool/spool_repair.h"

#include <memory>
#include <utility>

#include "spool/quarantine.h"
#include "spool/segment_inspection.h"
#include "spool/segment_reader.h"
#include "spool/segment_writer.h"
#include "spool/spool_survey.h"

namespace spangate {
namespace {

constexpr std::size_t copy_bytes = 1024 * 1024;
constexpr unsigned copy_mode = 0600;

// A name in the quarantine that nothing has yet, after making the directory.
Result<std::string> free_name(
    FileSystem& files, const std::string& directory, const std::string& name
) {
    const std::string aside = Quarantine::directory_in(directory);
    if (Status made = files.make_directories(aside); !made) {
        return tl::unexpected(std::move(made.error()));
    }
    std::string target = aside + "/" + name;
    for (int again = 1; files.open_read(target); ++again) {
        target = aside + "/" + name + "." + std::to_string(again);
    }
    return target;
}

// Moves a file of the line's directory to its quarantine.
Status put_aside(FileSystem& files, const std::string& directory, const std::string& name) {
    const Result<std::string> target = free_name(files, directory, name);
    if (!target) return tl::unexpected(target.error());
    Status moved = files.rename(directory + "/" + name, *target);
    if (moved) moved = files.sync_directory(Quarantine::directory_in(directory));
    if (moved) moved = files.sync_directory(directory);
    return moved;
}

// The same, but the file stays too.
Status copy_aside(FileSystem& files, const std::string& directory, const std::string& name) {
    const Result<std::string> target = free_name(files, directory, name);
    if (!target) return tl::unexpected(target.error());
    Result<std::unique_ptr<ReadFile>> from = files.open_read(directory + "/" + name);
    if (!from) return tl::unexpected(std::move(from.error()));
    Result<std::unique_ptr<AppendFile>> to = files.open_append(*target, copy_mode);
    if (!to) return tl::unexpected(std::move(to.error()));
    std::string block(copy_bytes, '\0');
    for (std::uint64_t offset = 0;;) {
        const Result<std::size_t> filled = (*from)->read_at(offset, block);
        if (!filled) return tl::unexpected(filled.error());
        if (*filled == 0) break;
        Status copied = (*to)->append(std::string_view(block).substr(0, *filled));
        if (!copied) return copied;
        offset += *filled;
    }
    Status synced = (*to)->sync();
    if (synced) synced = files.sync_directory(Quarantine::directory_in(directory));
    return synced;
}

// The whole records of a segment from `first` on, in a new file of the same name in `draft`.
Result<std::uint64_t> copy_whole_records(
    FileSystem& files,
    const std::string& path,
    const SegmentFacts& facts,
    std::uint32_t first,
    const std::string& draft
) {
    SegmentHeader header = facts.header;
    ++header.salt;  // the cursor must not take the new file for the old one
    auto writer = SegmentWriter::create(files, draft, header);
    if (!writer) return tl::unexpected(std::move(writer.error()));
    Result<std::unique_ptr<ReadFile>> file = files.open_read(path);
    if (!file) return tl::unexpected(std::move(file.error()));
    SegmentReader reader(std::move(*file), facts.header);
    while (true) {
        const SegmentReader::Item item = reader.next(facts.extent);
        if (item.kind == SegmentReader::Item::Kind::end) break;
        if (item.kind != SegmentReader::Item::Kind::record || item.index < first) continue;
        if (Status kept = (*writer)->append(item.header.record); !kept) {
            return tl::unexpected(std::move(kept.error()));
        }
    }
    Status done = (*writer)->sync(true);
    if (done) done = (*writer)->seal(true);
    if (!done) return tl::unexpected(std::move(done.error()));
    return std::uint64_t{(*writer)->records()};
}

class Repairer {
  public:
    Repairer(FileSystem& files, const std::string& directory)
        : files_(files),
          directory_(directory),
          draft_(directory + "/repair") {}

    Result<LineRepair> run(const LineSurvey& survey) {
        for (const SegmentSurvey& segment : survey.segments) {
            const Status done = segment.whole_damage         ? set_aside(segment)
                                : segment.damaged_places > 0 ? rewrite(segment, survey.cursor)
                                                             : Status{};
            if (!done) return tl::unexpected(done.error());
        }
        if (survey.is_cursor_damaged) {
            if (Status moved = put_aside(files_, directory_, "cursor"); !moved) {
                return tl::unexpected(std::move(moved.error()));
            }
            ++repair_.put_aside_files;
        }
        return repair_;
    }

  private:
    // A device that does not give the bytes now may give them later: such a file stays.
    Status set_aside(const SegmentSurvey& segment) {
        if (segment.whole_damage == SpoolDamage::unreadable) return {};
        ++repair_.put_aside_files;
        return put_aside(files_, directory_, segment_name(segment.number));
    }

    // The old file has a copy in the quarantine and the new one is whole on the device before it
    // takes the old one's place. A segment that the device does not give whole stays as it is.
    Status rewrite(const SegmentSurvey& segment, const SpoolCursor& cursor) {
        const std::string name = segment_name(segment.number);
        const Result<SegmentFacts> facts = inspect_segment(files_, directory_ + "/" + name);
        if (!facts) return tl::unexpected(facts.error());
        const bool is_cursors =
            cursor.segment == segment.number && cursor.salt == facts->header.salt;
        if (Status made = files_.make_directories(draft_); !made) return made;
        (void)files_.remove(draft_ + "/" + name);
        const Result<std::uint64_t> kept = copy_whole_records(
            files_, directory_ + "/" + name, *facts, is_cursors ? cursor.index : 0, draft_
        );
        if (!kept) return tl::unexpected(kept.error());
        Status done = copy_aside(files_, directory_, name);
        if (done) done = files_.rename(draft_ + "/" + name, directory_ + "/" + name);
        if (done) done = files_.sync_directory(directory_);
        if (!done) return done;
        ++repair_.rewritten_segments;
        ++repair_.put_aside_files;
        repair_.kept_records += *kept;
        repair_.lost_records += segment.records_lost;
        return {};
    }

    FileSystem& files_;
    const std::string directory_;
    const std::string draft_;
    LineRepair repair_;
};

}  // namespace

Result<LineRepair> repair_line(FileSystem& files, const std::string& directory, SpoolLine line) {
    const Result<LineSurvey> survey = survey_line(files, directory, line, {});
    if (!survey) return tl::unexpected(survey.error());
    return Repairer(files, directory).run(*survey);
}

}  // namespace spangate
