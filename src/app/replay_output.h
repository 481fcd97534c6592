// Where a replay goes: standard output, or a file that is there whole or not at all. Readable by
// its owner alone: it may hold what agents said.
#pragma once

#include <array>
#include <memory>
#include <ostream>
#include <streambuf>
#include <string>

#include "base/result.h"

namespace spangate {

class ReplayOutput : private std::streambuf {
  public:
    // Empty: standard output.
    [[nodiscard]] static Result<std::unique_ptr<ReplayOutput>> open(const std::string& path);

    // A file that was not finished is removed.
    ~ReplayOutput() override;
    ReplayOutput(const ReplayOutput&) = delete;
    ReplayOutput& operator=(const ReplayOutput&) = delete;

    [[nodiscard]] std::ostream& stream() { return stream_; }

    // A pipe that nobody reads any more is no error; what is written to it goes nowhere.
    [[nodiscard]] bool is_abandoned() const { return is_abandoned_; }

    // The last bytes are written, and the file has its name.
    [[nodiscard]] Status finish();

  private:
    ReplayOutput(std::string path, std::string part_path, int file);

    int_type overflow(int_type c) override;
    int sync() override;
    [[nodiscard]] bool write_out();

    const std::string path_;
    const std::string part_path_;  // while it is being written; empty: no file
    int file_ = -1;
    int error_ = 0;
    bool is_abandoned_ = false;
    std::array<char, 64 * 1024> buffer_{};
    std::ostream stream_;
};

}  // namespace spangate
