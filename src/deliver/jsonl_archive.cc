#include "deliver/jsonl_archive.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include <zstd.h>

#include <fmt/format.h>

#include "base/text.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::size_t block_bytes = 256 * 1024;
constexpr std::string_view plain_ending = ".jsonl";
constexpr std::string_view packed_ending = ".jsonl.zst";
constexpr std::string_view part_ending = ".jsonl.zst.part";

struct FreeContext {
    void operator()(::ZSTD_CCtx* context) const { ::ZSTD_freeCCtx(context); }
};

// 20260921T101500Z, as a part of file names.
std::string compact_time(WallNanos at) {
    const std::string time = to_rfc3339(at);
    std::string compact;
    for (const char c : std::string_view(time).substr(0, time.find('.'))) {
        if (c != '-' && c != ':') compact += c;
    }
    return compact + 'Z';
}

unsigned mode_of(std::string_view name) {
    const bool is_evidence = name.starts_with(name_of(EventClass::evidence));
    return jsonl_mode(is_evidence ? EventClass::evidence : EventClass::detail);
}

bool is_live(std::string_view name) {
    return std::any_of(event_class_names.begin(), event_class_names.end(), [name](auto of_class) {
        return name.substr(0, name.size() - plain_ending.size()) == of_class;
    });
}

// Only files that this sink named: <class>-….jsonl
bool is_rotated(std::string_view name) {
    if (!name.ends_with(plain_ending) || is_live(name)) return false;
    return std::any_of(event_class_names.begin(), event_class_names.end(), [name](auto of_class) {
        return name.starts_with(fmt::format("{}-", of_class));
    });
}

}  // namespace

JsonlArchive::JsonlArchive(
    const JsonlConfig& config, FileSystem& files, const Clock& clock, Metrics& metrics
)
    : directory_(config.directory + "/"),
      compresses_(config.compress == "zstd"),
      files_(files),
      clock_(clock),
      rotated_(metrics.counter("spangate_jsonl_rotations_total", "JSONL files rotated.")),
      compressed_(metrics.counter(
          "spangate_jsonl_compressed_files_total", "Rotated JSONL files compressed."
      )),
      faults_(metrics.counter(
          "spangate_jsonl_faults_total", "Faults of the JSONL files.", {{"kind", "compress"}}
      )) {
    if (!compresses_) return;
    take_up_leftovers();
    thread_ = std::thread([this] { run(); });
}

JsonlArchive::~JsonlArchive() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

Status JsonlArchive::take(EventClass event_class, const std::string& live_path) {
    Result<std::string> name = free_name(event_class);
    if (!name) return tl::unexpected(std::move(name.error()));
    if (Status renamed = files_.rename(live_path, directory_ + *name); !renamed) return renamed;
    if (Status synced = files_.sync_directory(directory_); !synced) return synced;
    rotated_.add();
    if (!compresses_) return {};
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(std::move(*name));
    }
    changed_.notify_all();
    return {};
}

Result<std::string> JsonlArchive::free_name(EventClass event_class) {
    const Result<std::vector<std::string>> names = files_.list(directory_);
    if (!names) return tl::unexpected(names.error());
    const std::string time = compact_time(clock_.wall_nanos());
    const auto is_taken = [&names](const std::string& base) {
        return std::any_of(names->begin(), names->end(), [&base](const std::string& name) {
            return name.starts_with(base);
        });
    };
    for (std::uint32_t n = 1;; ++n) {
        const std::string name =
            fmt::format("{}-{}-{}{}", name_of(event_class), time, n, plain_ending);
        if (!is_taken(name)) return name;
    }
}

void JsonlArchive::take_up_leftovers() {
    const Result<std::vector<std::string>> names = files_.list(directory_);
    if (!names) return;  // the live files meet the same fault and tell it
    for (const std::string& name : *names) {
        if (name.ends_with(part_ending)) (void)files_.remove(directory_ + name);
        if (is_rotated(name)) waiting_.push_back(name);
    }
}

void JsonlArchive::run() {
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return is_stopping_ || !waiting_.empty(); });
        if (is_stopping_) return;
        const std::string name = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        if (const Status done = compress(name); done) {
            compressed_.add();
        } else if (done.error().code != ErrorCode::shutting_down) {
            faults_.add();
            log_warn("deliver", "{} stays uncompressed: {}", name, done.error().message);
        }
        lock.lock();
    }
}

Status JsonlArchive::compress(const std::string& name) {
    const std::string source = directory_ + name;
    const std::string base = source.substr(0, source.size() - plain_ending.size());
    const std::string part = base + std::string(part_ending);
    (void)files_.remove(part);  // most often there is none
    Result<std::unique_ptr<AppendFile>> target = files_.open_append(part, mode_of(name));
    if (!target) return tl::unexpected(std::move(target.error()));
    Status done = write_compressed(source, **target);
    if (done) done = (*target)->sync();
    if (done) done = files_.rename(part, base + std::string(packed_ending));
    if (!done) {
        (void)files_.remove(part);
        return done;
    }
    if (done = files_.sync_directory(directory_); !done) return done;
    return files_.remove(source);
}

Status JsonlArchive::write_compressed(const std::string& source, AppendFile& target) {
    const std::unique_ptr<::ZSTD_CCtx, FreeContext> context(::ZSTD_createCCtx());
    if (context == nullptr) return fail(ErrorCode::unavailable, "no memory for zstd");
    ::ZSTD_CCtx_setParameter(context.get(), ::ZSTD_c_checksumFlag, 1);
    std::string packed(::ZSTD_CStreamOutSize(), '\0');
    std::uint64_t offset = 0;
    bool is_last = false;
    while (!is_last) {
        {
            const std::lock_guard lock(mutex_);
            if (is_stopping_) return fail(ErrorCode::shutting_down, "stopped");
        }
        const Result<std::string> block = files_.read_part(source, offset, block_bytes);
        if (!block) return tl::unexpected(block.error());
        offset += block->size();
        is_last = block->size() < block_bytes;
        ::ZSTD_inBuffer input{block->data(), block->size(), 0};
        std::size_t remaining = 0;
        do {
            ::ZSTD_outBuffer output{packed.data(), packed.size(), 0};
            remaining = ::ZSTD_compressStream2(
                context.get(), &output, &input, is_last ? ::ZSTD_e_end : ::ZSTD_e_continue
            );
            if (::ZSTD_isError(remaining) != 0) {
                return fail(ErrorCode::internal, ::ZSTD_getErrorName(remaining));
            }
            if (Status done = target.append({packed.data(), output.pos}); !done) return done;
        } while (is_last ? remaining != 0 : input.pos < input.size);
    }
    return {};
}

}  // namespace spangate
