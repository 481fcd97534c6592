#include "session/jsonl_reader.h"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <memory>

#include <poll.h>

#include "base/file_system.h"
#include "base/text.h"

namespace spangate {
namespace {

constexpr std::string_view plain_ending = ".jsonl";
constexpr std::string_view packed_ending = ".jsonl.zst";
constexpr std::string_view header_begin = R"({"spangate_jsonl":)";
constexpr int poll_interval_ms = 100;

// 20260921T101500Z → nanoseconds; nothing when it is not that.
std::optional<WallNanos> time_from(std::string_view compact) {
    if (compact.size() != 16) return std::nullopt;
    std::string time(compact);
    for (const std::size_t at : {13U, 11U})
        time.insert(at, ":");
    for (const std::size_t at : {6U, 4U})
        time.insert(at, "-");
    return from_rfc3339(time);
}

}  // namespace

JsonlStream::JsonlStream(std::string directory, EventClass event_class, const EventQuery& query)
    : directory_(std::move(directory)),
      name_(name_of(event_class)),
      live_path_(directory_ + "/" + name_ + std::string(plain_ending)),
      event_class_(event_class),
      query_(query) {}

Status JsonlStream::start() {
    Result<std::set<Rotated>> rotated = list();
    if (!rotated) return tl::unexpected(std::move(rotated.error()));
    seen_ = *rotated;
    const bool wants_new_only = query_.follows && !query_.since;
    if (!wants_new_only) waiting_ = std::move(*rotated);
    // A file's name tells when it was rotated: all of it is older.
    std::erase_if(waiting_, [this](const Rotated& file) {
        const std::optional<WallNanos> rotated_at = time_from(file.time);
        constexpr WallNanos second = 1'000'000'000;
        return query_.since && rotated_at && *rotated_at + second < *query_.since;
    });
    if (!wants_new_only) return {};
    Result<LineFile> live = LineFile::open(live_path_);
    if (!live) return {};  // it may come later
    if (Status sought = live->seek_end(); !sought) return sought;
    current_.emplace(std::move(*live));
    is_live_ = true;
    return {};
}

Result<bool> JsonlStream::next(StoredEvent& event) {
    while (true) {
        if (!current_) {
            const Result<bool> opened = open_next();
            if (!opened || !*opened) return opened;
        }
        const Result<bool> read = read_line();
        if (!read) return read;
        if (!*read) {
            const Result<bool> goes_on = go_on_behind_end();
            if (!goes_on || !*goes_on) return goes_on;
            continue;
        }
        if (line_.starts_with(header_begin)) continue;
        ++lines_;
        if (!fields_.parse(line_)) {
            ++damaged_;
            continue;
        }
        if (!is_wanted()) continue;
        event.event_class = event_class_;
        event.is_json = true;
        event.value.assign(line_);
        event.received_at = received_at_;
        event.offset = lines_;
        return true;
    }
}

// A damaged compressed file ends where the damage begins; the next one is read all the same.
Result<bool> JsonlStream::read_line() {
    Result<bool> read = current_->next(line_);
    if (read || is_live_) return read;
    ++damaged_;
    return false;
}

bool JsonlStream::is_wanted() {
    received_at_ = fields_.time("ts_received").value_or(0);
    if (query_.since && received_at_ < *query_.since) return false;
    return query_.session_id.empty() || fields_.text("session_id") == query_.session_id;
}

// False when there is no further file.
Result<bool> JsonlStream::open_next() {
    while (!waiting_.empty()) {
        const std::string base = directory_ + "/" + waiting_.begin()->base;
        waiting_.erase(waiting_.begin());
        Result<LineFile> file = LineFile::open(base + std::string(packed_ending));
        // It may be compressed between the two tries, so the first is made again.
        if (!file) file = LineFile::open(base + std::string(plain_ending));
        if (!file) file = LineFile::open(base + std::string(packed_ending));
        if (!file && file.error().code == ErrorCode::not_found) continue;
        if (!file) return tl::unexpected(std::move(file.error()));
        current_.emplace(std::move(*file));
        is_live_ = false;
        return true;
    }
    Result<LineFile> live = LineFile::open(live_path_);
    if (!live && live.error().code == ErrorCode::not_found) return false;
    if (!live) return tl::unexpected(std::move(live.error()));
    // What was rotated since the last look comes before it. No look before the file is open: then
    // a rotation between the two cannot hide a file.
    if (const Result<bool> found = find_fresh(); !found || *found)
        return found ? open_next() : found;
    current_.emplace(std::move(*live));
    is_live_ = true;
    is_replaced_ = false;
    return true;
}

// Files rotated since the last look are to be read; true when there are any.
Result<bool> JsonlStream::find_fresh() {
    Result<std::set<Rotated>> rotated = list();
    if (!rotated) return tl::unexpected(std::move(rotated.error()));
    std::set_difference(
        rotated->begin(),
        rotated->end(),
        seen_.begin(),
        seen_.end(),
        std::inserter(waiting_, waiting_.end())
    );
    seen_ = std::move(*rotated);
    return !waiting_.empty();
}

// At the end of a file: true when there may be more to read.
Result<bool> JsonlStream::go_on_behind_end() {
    if (!is_live_) {
        current_.reset();
        return true;
    }
    if (!query_.follows) return false;
    if (is_replaced_) {
        // The first of the fresh files is the one that was just read to its end.
        current_.reset();
        const Result<bool> found = find_fresh();
        if (found && *found) waiting_.erase(waiting_.begin());
        return found ? Result<bool>(true) : found;
    }
    if (current_->was_replaced(live_path_)) {
        // What was written between the last read and the rotation is still to come.
        is_replaced_ = true;
        return true;
    }
    current_->restart_if_cut();
    return false;
}

Result<std::set<JsonlStream::Rotated>> JsonlStream::list() const {
    PosixFileSystem files;
    const Result<std::vector<std::string>> names = files.list(directory_);
    if (!names) return fail(ErrorCode::not_found, names.error().message);
    std::set<Rotated> rotated;
    for (const std::string& name : *names) {
        if (std::optional<Rotated> file = rotated_from(name)) rotated.insert(std::move(*file));
    }
    return rotated;
}

// <class>-<time>-<number>.jsonl[.zst]
std::optional<JsonlStream::Rotated> JsonlStream::rotated_from(std::string_view name) const {
    if (name.ends_with(packed_ending)) {
        name.remove_suffix(packed_ending.size());
    } else if (name.ends_with(plain_ending)) {
        name.remove_suffix(plain_ending.size());
    } else {
        return std::nullopt;
    }
    Rotated file;
    file.base = name;
    if (!name.starts_with(name_ + "-")) return std::nullopt;
    name.remove_prefix(name_.size() + 1);
    const std::size_t dash = name.find('-');
    if (dash == std::string_view::npos || !time_from(name.substr(0, dash))) return std::nullopt;
    file.time = name.substr(0, dash);
    const char* end = name.data() + name.size();
    const auto [at, error] = std::from_chars(name.data() + dash + 1, end, file.number);
    if (error != std::errc() || at != end) return std::nullopt;
    return file;
}

Result<std::unique_ptr<JsonlReader>> JsonlReader::open(
    const std::string& directory, EventQuery query
) {
    std::unique_ptr<JsonlReader> reader(new JsonlReader(std::move(query)));
    for (const EventClass event_class : reader->query_.classes) {
        JsonlStream stream(directory, event_class, reader->query_);
        if (Status started = stream.start(); !started) {
            return tl::unexpected(std::move(started.error()));
        }
        reader->sources_.push_back({std::move(stream), {}, false});
    }
    return reader;
}

Result<ReadState> JsonlReader::next(StoredEvent& event) {
    Source* earliest = nullptr;
    for (Source& source : sources_) {
        if (!source.has_head) {
            const Result<bool> read = source.stream.next(source.head);
            if (!read) return tl::unexpected(read.error());
            source.has_head = *read;
        }
        if (!source.has_head) continue;
        if (earliest == nullptr || source.stream.received_at() < earliest->stream.received_at()) {
            earliest = &source;
        }
    }
    if (earliest != nullptr) {
        std::swap(event, earliest->head);
        earliest->has_head = false;
        return ReadState::event;
    }
    if (!query_.follows) return ReadState::end;
    (void)::poll(nullptr, 0, poll_interval_ms);
    return ReadState::nothing_yet;
}

std::uint64_t JsonlReader::damaged() const {
    std::uint64_t sum = 0;
    for (const Source& source : sources_)
        sum += source.stream.damaged();
    return sum;
}

}  // namespace spangate
