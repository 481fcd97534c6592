#include "spool/spool_log.h"

#include <algorithm>
#include <utility>

#include <unistd.h>

#include <fmt/format.h>

#include "base/check.h"
#include "spool/spool_log_state.h"

namespace spangate {
namespace {

// A segment is removed whole, so a small spool needs small ones to get room back.
constexpr std::uint64_t segments_per_space = 32;
constexpr std::uint64_t segment_bytes_min = 64 * 1024;
constexpr std::size_t traceparent_bytes_max = 0xffff;
// What may have to be read again after a crash, beside what was open.
constexpr std::uint64_t cursor_every_bytes = 8 * 1024 * 1024;
constexpr int names_tried_max = 100;

bool is_conflict(const Result<std::unique_ptr<SegmentWriter>>& made) {
    return !made && made.error().code == ErrorCode::conflict;
}

std::uint64_t seed_of(const SpoolLogSettings& settings) {
    if (settings.seed != 0) return settings.seed;
    std::uint64_t seed = 0;
    SPANGATE_CHECK(::getentropy(&seed, sizeof seed) == 0);
    return seed;
}

std::uint64_t segment_bytes_for(const SpoolLogSettings& settings, const SpoolSpace& space) {
    const std::uint64_t share = std::max(space.bytes_max() / segments_per_space, segment_bytes_min);
    return std::min(settings.segment_bytes_max, share);
}

Status check_size(const SpoolRecord& record) {
    const std::uint64_t bytes = std::uint64_t{record.tenant_id.size()} + record.key.size() +
                                record.traceparent.size() + record.value.size();
    if (bytes <= record_body_bytes_max && record.traceparent.size() <= traceparent_bytes_max) {
        return {};
    }
    return fail(
        ErrorCode::too_large,
        fmt::format(
            "a record of {} bytes does not fit in the spool, which takes {}",
            bytes,
            record_body_bytes_max
        )
    );
}

}  // namespace

SpoolLog::State::State(
    SpoolLogSettings given, FileSystem& files_given, SpoolSpace& space_given, Metrics& metrics_given
)
    : settings(std::move(given)),
      files(files_given),
      space(space_given),
      metrics(metrics_given, settings.line),
      quarantine(files, settings.directory, settings.line, space, metrics),
      shelf(files, settings.directory, settings.line, space, metrics, quarantine),
      segment_bytes(segment_bytes_for(settings, space)),
      salts(seed_of(settings)) {}

SpoolLog::SpoolLog() = default;

SpoolLog::~SpoolLog() {
    State& log = *state_;
    if (log.writer != nullptr && !log.writer->has_unsynced()) {
        log.drop_if_acknowledged();
        (void)log.end_segment();
    }
    // The owner of the space may go on without this log.
    log.space.give_back(log.settings.line, log.shelf.bytes() + log.round_bytes);
}

Result<std::unique_ptr<SpoolLog>> SpoolLog::open(
    SpoolLogSettings settings, FileSystem& files, SpoolSpace& space, Metrics& metrics
) {
    if (Status made = files.make_directories(settings.directory); !made) {
        return tl::unexpected(std::move(made.error()));
    }
    std::unique_ptr<SpoolLog> log(new SpoolLog());
    log->state_ = std::make_unique<State>(std::move(settings), files, space, metrics);
    if (Status found = log->state_->recover(); !found) {
        return tl::unexpected(std::move(found.error()));
    }
    return log;
}

Status SpoolLog::State::recover() {
    const std::size_t name_at = settings.directory.find_last_of('/');
    if (settings.fsync && name_at != std::string::npos && name_at > 0) {
        Status named = files.sync_directory(settings.directory.substr(0, name_at));
        if (!named) return named;
    }
    const Result<std::optional<SpoolCursor>> loaded = load_cursor(files, settings.directory);
    if (!loaded) metrics.count(SpoolDamage::cursor);
    const SpoolCursor cursor = loaded ? loaded->value_or(SpoolCursor{}) : SpoolCursor{};
    quarantine.count_found();
    if (Status found = shelf.recover(cursor, settings.fsync); !found) return found;
    start_reading_at(cursor);
    records_found = records_stored;
    show();
    return {};
}

void SpoolLog::State::start_reading_at(const SpoolCursor& cursor) {
    const StoredSegment* first = shelf.is_empty() ? nullptr : &shelf.oldest();
    frontier = {first == nullptr ? shelf.next_number() : first->header.number, segment_start, 0};
    for (const StoredSegment* segment = first; segment != nullptr;
         segment = shelf.after(segment->header.number)) {
        records_stored += segment->extent.records;
    }
    const bool is_its_segment =
        first != nullptr && first->header.number == cursor.segment &&
        first->header.salt == cursor.salt && cursor.offset <= first->extent.end &&
        cursor.offset >= segment_start && cursor.index <= first->extent.records;
    if (!is_its_segment) return;
    frontier.offset = cursor.offset;
    frontier.index = cursor.index;
    records_stored -= cursor.index;
}

void SpoolLog::State::show() {
    metrics.bytes.set(static_cast<std::int64_t>(shelf.bytes()));
    metrics.segments.set(static_cast<std::int64_t>(shelf.count()));
}

Status SpoolLog::append(const SpoolRecord& record) {
    State& log = *state_;
    if (log.round_error) return tl::unexpected(*log.round_error);
    if (Status fits = check_size(record); !fits) return fits;
    if (Status ready = log.ready_segment(); !ready) return ready;
    const std::uint64_t bytes = log.writer->record_bytes(record);
    if (log.writer->end() + bytes + record_header_bytes > segment_end_max) {
        return fail(ErrorCode::unavailable, "the round is too large for a segment of the spool");
    }
    if (!log.space.take(log.settings.line, bytes)) return log.no_room();
    log.round_bytes += bytes;
    ++log.round_records;
    Status appended = log.writer->append(record);
    return appended ? appended : log.lose_round(appended.error(), true);
}

Status SpoolLog::State::no_room() const {
    return fail(
        ErrorCode::unavailable,
        fmt::format(
            "the spool is full: {} of {} bytes are used, the rest is kept for other classes",
            space.bytes_used(),
            space.bytes_max()
        )
    );
}

// A writer with room for the round. Ends the present segment only between two rounds.
Status SpoolLog::State::ready_segment() {
    if (writer != nullptr && !writer->has_unsynced() && writer->end() >= segment_bytes) {
        (void)end_segment();
    }
    if (writer != nullptr) return {};
    const std::uint64_t bytes = segment_start + record_header_bytes;
    if (!space.take(settings.line, bytes)) return no_room();
    SegmentHeader header;
    header.line = settings.line;
    header.number = shelf.next_number();
    header.salt = salts();
    Result<std::unique_ptr<SegmentWriter>> made =
        SegmentWriter::create(files, settings.directory, header);
    // What lies under a name already, because it could not be removed, is not ours to write.
    for (int left = names_tried_max; left > 0 && is_conflict(made); --left) {
        shelf.use_number(header.number);
        header.number = shelf.next_number();
        made = SegmentWriter::create(files, settings.directory, header);
    }
    if (!made) {
        space.give_back(settings.line, bytes);
        round_error = made.error();
        return tl::unexpected(std::move(made.error()));
    }
    writer = std::move(*made);
    shelf.use_number(header.number);
    shelf.add({header, {segment_start, 0}, bytes, true, false});
    return {};
}

// The present segment takes no more. Its footer only saves the next start a look at every record.
Status SpoolLog::State::end_segment() {
    if (writer == nullptr) return {};
    const Status sealed = writer->seal(settings.fsync);
    writer.reset();
    shelf.newest().is_written = false;
    return sealed;
}

// Nothing of the round is stored. `is_told_by_sync`: sync() has yet to say so.
Status SpoolLog::State::lose_round(Error error, bool is_told_by_sync) {
    const bool is_usable = writer->roll_back();
    if (writer->holds_lost_bytes()) {
        shelf.newest().counted_bytes += round_bytes;  // until the segment goes
    } else {
        space.give_back(settings.line, round_bytes);
    }
    round_bytes = 0;
    round_records = 0;
    if (!is_usable || writer->synced_records() == 0) {
        const bool is_blank = writer->synced_records() == 0;
        writer.reset();
        shelf.newest().is_written = false;
        if (is_blank) shelf.remove_newest();
    }
    if (is_told_by_sync) round_error = error;
    show();
    return tl::unexpected(std::move(error));
}

Status SpoolLog::sync() {
    State& log = *state_;
    if (log.round_error) {
        log.metrics.sync_failures.add();
        return tl::unexpected(*std::exchange(log.round_error, std::nullopt));
    }
    if (log.writer == nullptr || !log.writer->has_unsynced()) return {};
    if (Status synced = log.writer->sync(log.settings.fsync); !synced) {
        log.metrics.sync_failures.add();
        return log.lose_round(std::move(synced.error()), false);
    }
    StoredSegment& segment = log.shelf.newest();
    segment.extent = {log.writer->synced_bytes(), log.writer->synced_records()};
    segment.counted_bytes += log.round_bytes;
    log.records_stored += log.round_records;
    log.metrics.syncs.add();
    log.metrics.appended_records.add(log.round_records);
    log.metrics.appended_bytes.add(log.round_bytes);
    log.round_bytes = 0;
    log.round_records = 0;
    log.show();
    return {};
}

Result<std::optional<SpoolEntry>> SpoolLog::read_next() {
    return state_->read_next();
}

void SpoolLog::acknowledge(std::uint64_t entry_no) {
    State& log = *state_;
    if (!log.window.acknowledge(entry_no)) return;
    --log.records_stored;
    log.let_go();
}

void SpoolLog::rewind() {
    state_->window.rewind();
}

bool SpoolLog::is_read_through() const {
    return !state_->window.has_again() && state_->is_frontier_at_end();
}

std::uint64_t SpoolLog::records_count() const {
    return state_->records_stored;
}

std::uint64_t SpoolLog::records_found() const {
    return state_->records_found;
}

std::uint64_t SpoolLog::bytes() const {
    return state_->shelf.bytes();
}

Status SpoolLog::save_cursor() {
    return state_->save();
}

// Segments that are acknowledged whole go, after the cursor has passed them; a cursor now and then.
void SpoolLog::State::let_go() {
    const RecordPlace oldest = oldest_open();
    const bool frees_segment = !shelf.is_empty() && shelf.oldest().header.number < oldest.segment;
    const bool is_far =
        oldest.segment != tried.segment || oldest.offset >= tried.offset + cursor_every_bytes;
    bool is_saved = true;
    if (frees_segment || is_far) {
        is_saved = save().has_value();
        tried = oldest;
    }
    while (!shelf.is_empty() && shelf.oldest().header.number < oldest.segment) {
        forget_reader_of(shelf.oldest().header.number);
        shelf.remove_oldest();
    }
    // On a full device there is room for the cursor only now.
    if (frees_segment && !is_saved) (void)save();
    if (writer != nullptr && writer->end() >= segment_bytes / 4) drop_if_acknowledged();
    if (frees_segment) show();
}

// An emptied log gives its last segment back too.
void SpoolLog::State::drop_if_acknowledged() {
    if (writer == nullptr || writer->has_unsynced() || window.oldest()) return;
    const StoredSegment& segment = shelf.newest();
    const bool is_read =
        frontier.segment == segment.header.number && frontier.offset == segment.extent.end;
    if (!is_read || shelf.count() != 1) return;
    forget_reader_of(segment.header.number);
    writer.reset();
    shelf.remove_newest();
    frontier = {shelf.next_number(), segment_start, 0};
    show();
}

RecordPlace SpoolLog::State::oldest_open() {
    pass_ended_segments();
    return window.oldest().value_or(frontier);
}

Status SpoolLog::State::save() {
    const RecordPlace place = oldest_open();
    const StoredSegment* segment = shelf.find(place.segment);
    const SpoolCursor cursor{
        place.segment,
        segment == nullptr ? 0 : segment->header.salt,
        place.offset,
        place.index,
    };
    if (cursor == saved) return {};
    Status done = spangate::save_cursor(files, settings.directory, cursor, settings.fsync);
    if (done) saved = cursor;
    return done;
}

}  // namespace spangate
