// One JSONL file read line by line: plain, perhaps still growing, or compressed with zstd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <sys/types.h>

#include "base/result.h"

namespace spangate {

class LineFile {
  public:
    // A longer line ends the reading of its file: no record is near that size.
    static constexpr std::size_t line_bytes_max = 64 * 1024 * 1024;

    // `not_found` when there is none. A name that ends in .zst is decompressed.
    [[nodiscard]] static Result<LineFile> open(const std::string& path);

    LineFile(LineFile&&) noexcept;
    LineFile& operator=(LineFile&&) noexcept;
    ~LineFile();

    // The next whole line without its newline; false when there is none (yet).
    [[nodiscard]] Result<bool> next(std::string& line);

    // Goes on behind what is there now.
    [[nodiscard]] Status seek_end();

    // True when `path` names another file now, or none: ours was rotated.
    [[nodiscard]] bool was_replaced(const std::string& path) const;

    // Starts over when the file has become shorter than what was read of it.
    void restart_if_cut();

  private:
    struct Unpacking;

    LineFile(int descriptor, ::ino_t inode, std::unique_ptr<Unpacking> unpacking);

    [[nodiscard]] Result<std::size_t> fill();
    [[nodiscard]] Result<std::size_t> read_some(char* target, std::size_t bytes);

    int descriptor_ = -1;
    ::ino_t inode_ = 0;
    std::unique_ptr<Unpacking> unpacking_;  // null: plain
    std::string buffer_;
    std::size_t taken_ = 0;    // of buffer_
    std::size_t scanned_ = 0;  // of buffer_, without a newline
    std::uint64_t offset_ = 0;
};

}  // namespace spangate
