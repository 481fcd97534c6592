#include "deliver/jsonl_file.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view header_begin = R"({"spangate_jsonl":)";
constexpr std::size_t block_bytes = 64 * 1024;

}  // namespace

JsonlFile::JsonlFile(
    const JsonlConfig& config,
    const JsonlRunFacts& facts,
    EventClass event_class,
    FileSystem& files,
    const Clock& clock,
    JsonlArchive& archive,
    Metrics& metrics
)
    : event_class_(event_class),
      directory_(config.directory),
      path_(fmt::format("{}/{}.jsonl", config.directory, name_of(event_class))),
      rotate_bytes_(config.rotate_bytes),
      facts_(facts),
      started_at_(clock.wall_nanos()),
      files_(files),
      archive_(archive),
      bytes_(metrics.counter(
          "spangate_jsonl_bytes_total",
          "Bytes written to JSONL files, uncompressed.",
          {{"class", name_of(event_class)}}
      )),
      torn_lines_(metrics.counter(
          "spangate_jsonl_torn_lines_total", "Torn last lines cut off JSONL files at start."
      )) {}

Status JsonlFile::open() {
    file_.reset();
    const unsigned mode = jsonl_mode(event_class_);
    Result<std::unique_ptr<AppendFile>> file = files_.open_append(path_, mode);
    if (!file) return tl::unexpected(std::move(file.error()));
    if ((*file)->size() > 0) {
        const std::uint64_t bytes = (*file)->size();
        file->reset();
        if (Status cleared = clear_away(bytes); !cleared) return cleared;
        file = files_.open_append(path_, mode);
        if (!file) return tl::unexpected(std::move(file.error()));
    }
    const std::string line = header();
    if (Status done = (*file)->append(line); !done) return done;
    if (Status done = (*file)->sync(); !done) return done;
    if (Status done = files_.sync_directory(directory_); !done) return done;
    header_bytes_ = synced_bytes_ = line.size();
    file_ = std::move(*file);
    return {};
}

Status JsonlFile::append(std::string_view lines) {
    if (Status done = file_->append(lines); !done) return done;
    bytes_.add(lines.size());
    return {};
}

Status JsonlFile::sync() {
    if (Status done = file_->sync(); !done) return done;
    synced_bytes_ = file_->size();
    return {};
}

bool JsonlFile::is_full() const {
    return synced_bytes_ >= rotate_bytes_ && synced_bytes_ > header_bytes_;
}

void JsonlFile::set_aside() {
    if (file_ == nullptr) return;
    file_.reset();
    // What this cannot cut off, open() will: the records behind were told to be sent again, and a
    // repeat is allowed.
    (void)files_.truncate(path_, synced_bytes_);
}

Status JsonlFile::clear_away(std::uint64_t bytes) {
    const Result<std::uint64_t> whole_bytes = cut_torn_line(bytes);
    if (!whole_bytes) return tl::unexpected(whole_bytes.error());
    const Result<bool> holds_nothing = is_header_only(*whole_bytes);
    if (!holds_nothing) return tl::unexpected(holds_nothing.error());
    if (*holds_nothing) return files_.truncate(path_, 0);
    return archive_.take(event_class_, path_);
}

Result<std::uint64_t> JsonlFile::cut_torn_line(std::uint64_t bytes) {
    std::uint64_t end = bytes;  // no newline at or behind it
    while (end > 0) {
        const std::uint64_t from = end > block_bytes ? end - block_bytes : 0;
        const Result<std::string> block =
            files_.read_part(path_, from, static_cast<std::size_t>(end - from));
        if (!block) return tl::unexpected(block.error());
        const std::size_t newline = block->rfind('\n');
        end = newline == std::string::npos ? from : from + newline + 1;
        if (newline != std::string::npos) break;
    }
    if (end == bytes) return bytes;
    torn_lines_.add();
    log_warn("deliver", "cut {} bytes of a torn last line off {}", bytes - end, path_);
    if (Status cut = files_.truncate(path_, end); !cut) {
        return tl::unexpected(std::move(cut.error()));
    }
    return end;
}

Result<bool> JsonlFile::is_header_only(std::uint64_t bytes) {
    if (bytes == 0) return true;
    const Result<std::string> begin = files_.read_part(path_, 0, block_bytes);
    if (!begin) return tl::unexpected(begin.error());
    return begin->starts_with(header_begin) && begin->find('\n') + 1 == bytes;
}

std::string JsonlFile::header() const {
    return fmt::format(
        R"({}1,"class":{},"gateway_id":{},"version":{},"host":{},"started_at":"{}","rules":{}}})"
        "\n",
        header_begin,
        json_quote(name_of(event_class_)),
        json_quote(facts_.gateway_id),
        json_quote(facts_.version),
        json_quote(facts_.host),
        to_rfc3339(started_at_),
        json_quote(facts_.rules)
    );
}

}  // namespace spangate
