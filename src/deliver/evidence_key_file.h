// The wrapped data keys beside the JSONL files of evidence: `evidence-keys.jsonl`, mode 0600, one
// key a line (digest/data_key.h), never rotated.
//
// A key is erased where it stands: its line is overwritten with as many bytes that tell only that
// there was one, so that a gateway which appends meanwhile loses nothing and no copy is left. On a
// file system that never writes in place (btrfs, ZFS, many network ones) old blocks may outlive it.
//
// Then its id is appended to `evidence-keys-erased.jsonl`, which a running gateway reads
// (session/erased_key_watch.h): {"key_id":…}, one a line.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "base/file_system.h"
#include "base/result.h"

namespace spangate {

inline constexpr std::string_view evidence_key_file_name = "evidence-keys.jsonl";
inline constexpr std::string_view erased_key_file_name = "evidence-keys-erased.jsonl";

// One thread.
class EvidenceKeyFile {
  public:
    EvidenceKeyFile(const std::string& directory, FileSystem& files)
        : directory_(directory),
          path_(directory + "/" + std::string(evidence_key_file_name)),
          files_(files) {}

    // Whole lines, durable on return. Makes the file when it is first needed; after an error it is
    // opened anew, behind whatever the error left.
    [[nodiscard]] Status append(std::string_view lines);

  private:
    [[nodiscard]] Status open();

    const std::string directory_;
    const std::string path_;
    FileSystem& files_;
    std::unique_ptr<AppendFile> file_;
};

// Overwrites the keys named by `key_ids` in the file of `directory`, durably, and tells running
// gateways; the number of lines that were. `not_found`: there is no such file.
[[nodiscard]] Result<std::uint64_t> erase_evidence_keys(
    const std::string& directory, const std::set<std::string, std::less<>>& key_ids
);

}  // namespace spangate
