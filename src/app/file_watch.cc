#include "app/file_watch.h"

#include <utility>

#include "digest/sha256.h"

namespace spangate {

FileWatch::FileWatch(FileSystem& files, std::vector<std::string> paths) : files_(files) {
    for (std::string& path : paths) {
        if (path.empty()) continue;
        std::string digest = digest_of(path);
        watched_.push_back({std::move(path), std::move(digest)});
    }
}

bool FileWatch::changed() {
    bool has_changed = false;
    for (Watched& watched : watched_) {
        std::string digest = digest_of(watched.path);
        if (digest.empty() || digest == watched.digest) continue;
        watched.digest = std::move(digest);
        has_changed = true;
    }
    return has_changed;
}

std::string FileWatch::digest_of(const std::string& path) const {
    const Result<std::string> content = files_.read(path);
    if (!content || content->empty()) return {};
    const Sha256Digest digest = Sha256().add(*content).finish();
    return {digest.begin(), digest.end()};
}

}  // namespace spangate
