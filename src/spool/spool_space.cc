#include "spool/spool_space.h"

#include <algorithm>

namespace spangate {
namespace {

constexpr std::uint64_t reserved_parts = 5;

std::size_t index_of(SpoolLine line) {
    return static_cast<std::size_t>(line);
}

}  // namespace

SpoolSpace::SpoolSpace(std::uint64_t bytes_max) : bytes_max_(bytes_max) {}

bool SpoolSpace::take(SpoolLine line, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    if (bytes > left_for(line)) return false;
    used_[index_of(line)] += bytes;
    return true;
}

void SpoolSpace::count_found(SpoolLine line, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    used_[index_of(line)] += bytes;
}

void SpoolSpace::give_back(SpoolLine line, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    std::uint64_t& used = used_[index_of(line)];
    used -= std::min(used, bytes);
}

std::uint64_t SpoolSpace::bytes_left(SpoolLine line) const {
    const std::lock_guard lock(mutex_);
    return left_for(line);
}

std::uint64_t SpoolSpace::bytes_used() const {
    const std::lock_guard lock(mutex_);
    return used_all();
}

std::uint64_t SpoolSpace::bytes_max() const {
    return bytes_max_;
}

std::uint64_t SpoolSpace::used_all() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t used : used_)
        sum += used;
    return sum;
}

std::uint64_t SpoolSpace::left_for(SpoolLine line) const {
    const std::uint64_t share = bytes_max_ / reserved_parts;
    std::uint64_t taken = used_all();
    for (const SpoolLine other : {SpoolLine::operational, SpoolLine::detail, SpoolLine::evidence}) {
        const std::uint64_t used = used_[index_of(other)];
        if (other != line && used < share) taken += share - used;
    }
    return bytes_max_ - std::min(taken, bytes_max_);
}

}  // namespace spangate
