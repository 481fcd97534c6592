#include "receive/descriptor_limit.h"

#include <algorithm>

#include <sys/resource.h>

#include "observe/log.h"

namespace spangate {

namespace {

// Above this many descriptors more do not help, and some libraries walk over the whole range.
constexpr rlim_t descriptors_max = 1'048'576;

}  // namespace

void raise_descriptor_limit() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    const rlim_t wanted = std::min(limit.rlim_max, descriptors_max);
    if (limit.rlim_cur >= wanted) return;
    limit.rlim_cur = wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
        log_warn("receive", "cannot raise the limit of open files to {}", wanted);
    }
}

}  // namespace spangate
