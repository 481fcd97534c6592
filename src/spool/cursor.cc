#include "spool/cursor.h"

#include <algorithm>
#include <memory>

#include "base/crc32c.h"
#include "spool/little_endian.h"

namespace spangate {
namespace {

constexpr std::string_view magic = "SPANCUR1";
constexpr unsigned cursor_mode = 0600;

constexpr std::size_t segment_at = 8;
constexpr std::size_t salt_at = 16;
constexpr std::size_t offset_at = 24;
constexpr std::size_t index_at = 32;
constexpr std::size_t checksum_at = 36;
constexpr std::size_t cursor_bytes = 40;

std::string encode(const SpoolCursor& cursor) {
    std::string bytes(cursor_bytes, '\0');
    char* at = bytes.data();
    std::copy(magic.begin(), magic.end(), at);
    store(at + segment_at, cursor.segment);
    store(at + salt_at, cursor.salt);
    store(at + offset_at, cursor.offset);
    store(at + index_at, cursor.index);
    store(at + checksum_at, crc32c({at, checksum_at}));
    return bytes;
}

}  // namespace

Result<std::optional<SpoolCursor>> load_cursor(FileSystem& files, const std::string& directory) {
    Result<std::unique_ptr<ReadFile>> file = files.open_read(directory + "/cursor");
    if (!file && file.error().code == ErrorCode::not_found) return std::nullopt;
    if (!file) return tl::unexpected(std::move(file.error()));
    std::string bytes(cursor_bytes, '\0');
    const Result<std::size_t> filled = (*file)->read_at(0, bytes);
    if (!filled) return tl::unexpected(filled.error());
    const char* at = bytes.data();
    const bool is_whole = *filled == cursor_bytes && bytes.starts_with(magic) &&
                          crc32c({at, checksum_at}) == load<std::uint32_t>(at + checksum_at);
    if (!is_whole) return fail(ErrorCode::io, "the cursor in " + directory + " is damaged");
    SpoolCursor cursor;
    cursor.segment = load<std::uint64_t>(at + segment_at);
    cursor.salt = load<std::uint64_t>(at + salt_at);
    cursor.offset = load<std::uint64_t>(at + offset_at);
    cursor.index = load<std::uint32_t>(at + index_at);
    return cursor;
}

Status save_cursor(
    FileSystem& files, const std::string& directory, const SpoolCursor& cursor, bool to_device
) {
    const std::string path = directory + "/cursor";
    const std::string draft = path + ".new";
    // A former attempt may have left one.
    (void)files.remove(draft);
    Result<std::unique_ptr<AppendFile>> file = files.open_append(draft, cursor_mode);
    if (!file) return tl::unexpected(std::move(file.error()));
    Status done = (*file)->append(encode(cursor));
    if (done && to_device) done = (*file)->sync();
    if (done) done = files.rename(draft, path);
    if (done && to_device) done = files.sync_directory(directory);
    return done;
}

}  // namespace spangate
