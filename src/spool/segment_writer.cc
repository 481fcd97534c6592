#include "spool/segment_writer.h"

#include <utility>

namespace spangate {
namespace {

// Large enough that a write costs little beside its bytes.
constexpr std::size_t flush_bytes = 256 * 1024;
// Raw content may stand in it.
constexpr unsigned segment_mode = 0600;

}  // namespace

SegmentWriter::SegmentWriter(FileSystem& files, std::string directory, const SegmentHeader& header)
    : files_(files),
      directory_(std::move(directory)),
      path_(directory_ + "/" + segment_name(header.number)),
      header_(header),
      format_(header) {}

Result<std::unique_ptr<SegmentWriter>> SegmentWriter::create(
    FileSystem& files, std::string directory, const SegmentHeader& header
) {
    std::unique_ptr<SegmentWriter> writer(new SegmentWriter(files, std::move(directory), header));
    Result<std::unique_ptr<AppendFile>> file = files.open_append(writer->path_, segment_mode);
    if (!file) return tl::unexpected(std::move(file.error()));
    if ((*file)->size() > 0) {
        return fail(ErrorCode::conflict, "there is a segment " + writer->path_ + " already");
    }
    writer->file_ = std::move(*file);
    writer->buffer_ = encode(header);
    return writer;
}

std::uint64_t SegmentWriter::record_bytes(const SpoolRecord& record) const {
    return format_.record_bytes(
        std::uint64_t{record.tenant_id.size()} + record.key.size() + record.traceparent.size() +
        record.value.size()
    );
}

Status SegmentWriter::append(const SpoolRecord& record) {
    format_.append_record(
        record, records_, static_cast<std::uint32_t>(synced_bytes_), end(), buffer_
    );
    ++records_;
    return buffer_.size() < flush_bytes ? Status{} : flush();
}

Status SegmentWriter::flush() {
    const Status written = file_->append(buffer_);
    if (!written) {
        // The tail is unknown, but not the pages: it can be cut, except after an I/O error.
        is_broken_ = written.error().code != ErrorCode::unavailable;
        return written;
    }
    flushed_bytes_ += buffer_.size();
    buffer_.clear();
    if (buffer_.capacity() > 4 * flush_bytes) buffer_.shrink_to_fit();
    return {};
}

Status SegmentWriter::sync(bool to_device) {
    if (Status flushed = flush(); !flushed) return flushed;
    if (to_device) {
        Status synced = file_->sync();
        if (synced && !is_named_) synced = files_.sync_directory(directory_);
        if (!synced) {
            is_broken_ = true;
            return synced;
        }
        is_named_ = true;
    }
    synced_bytes_ = flushed_bytes_;
    synced_records_ = records_;
    return {};
}

bool SegmentWriter::roll_back() {
    buffer_ = synced_bytes_ == 0 ? encode(header_) : std::string();
    flushed_bytes_ = synced_bytes_;
    records_ = synced_records_;
    // Also of a broken one: what was refused should not be read back after a restart.
    holds_lost_bytes_ = !files_.truncate(path_, synced_bytes_).has_value();
    is_broken_ = is_broken_ || holds_lost_bytes_;
    return !is_broken_;
}

Status SegmentWriter::seal(bool to_device) {
    format_.append_footer(records_, end(), buffer_);
    if (Status flushed = flush(); !flushed) return flushed;
    return to_device ? file_->sync() : Status{};
}

}  // namespace spangate
