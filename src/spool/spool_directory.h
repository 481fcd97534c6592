// The directory that holds all lines' logs: one process at a time, on a disk that outlives it.
//
//   <spool.directory>/lock, /operational/, /detail/, /evidence/, /dead_letter/
//
// The lock ends with the process, however it ends. Not over the FileSystem seam: locks and kinds of
// file systems are the kernel's.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace spangate {

class SpoolDirectory {
  public:
    // Makes the directory (for its owner only, since raw content lies there) and takes the lock.
    // `conflict`: another process holds it, named in the message. `unsupported`: the directory is
    // in memory (tmpfs, ramfs), so the spool would be lost with the machine, and `allows_volatile`
    // is not set.
    [[nodiscard]] static Result<std::unique_ptr<SpoolDirectory>> lock(
        const std::string& path, bool allows_volatile
    );

    ~SpoolDirectory();
    SpoolDirectory(const SpoolDirectory&) = delete;
    SpoolDirectory& operator=(const SpoolDirectory&) = delete;

  private:
    explicit SpoolDirectory(int descriptor) : descriptor_(descriptor) {}

    int descriptor_;
};

// Who holds the lock of the spool in `path`, as "process 42"; empty: nobody. Takes nothing.
[[nodiscard]] std::string spool_holder(const std::string& path);

}  // namespace spangate
