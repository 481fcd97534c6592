// Notices that a file was replaced: certificates, keys and CAs are renewed by whoever issues them,
// and nobody sends a signal then. Compared by content digest, so a touch changes nothing, and a
// rename, a symbolic link turned to a new directory (as orchestrators do) or a rewrite in place all
// count. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/file_system.h"

namespace spangate {

class FileWatch {
  public:
    // Empty paths are left out. `files` outlives the watch.
    FileWatch(FileSystem& files, std::vector<std::string> paths);

    // Whether any of them changed since the last call that said so. An unreadable or half-written
    // file counts as unchanged until it can be read.
    [[nodiscard]] bool changed();

  private:
    struct Watched {
        std::string path;
        std::string digest;
    };

    [[nodiscard]] std::string digest_of(const std::string& path) const;

    FileSystem& files_;
    std::vector<Watched> watched_;
};

}  // namespace spangate
