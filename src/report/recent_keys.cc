#include "report/recent_keys.h"

#include <utility>

namespace spangate {
namespace {

constexpr std::size_t slots_min = 1024;

}  // namespace

bool RecentKeys::contains(std::uint64_t key) const {
    if (key == 0) key = 1;
    return tables_[0].contains(key) || tables_[1].contains(key);
}

bool RecentKeys::add(std::uint64_t key) {
    if (key == 0) key = 1;
    if (contains(key)) return false;
    if (tables_[current_].count >= keys_min_) {
        current_ = 1 - current_;
        tables_[current_] = Table();
    }
    tables_[current_].insert(key);
    return true;
}

bool RecentKeys::Table::contains(std::uint64_t key) const {
    if (slots.empty()) return false;
    for (std::size_t at = key & (slots.size() - 1);; at = (at + 1) & (slots.size() - 1)) {
        if (slots[at] == key) return true;
        if (slots[at] == 0) return false;
    }
}

void RecentKeys::Table::insert(std::uint64_t key) {
    if (slots.empty()) slots.resize(slots_min);
    if (count * 2 >= slots.size()) {
        std::vector<std::uint64_t> old(slots.size() * 2);
        std::swap(old, slots);
        for (const std::uint64_t kept : old) {
            if (kept != 0) put(kept);
        }
    }
    put(key);
    ++count;
}

void RecentKeys::Table::put(std::uint64_t key) {
    std::size_t at = key & (slots.size() - 1);
    while (slots[at] != 0)
        at = (at + 1) & (slots.size() - 1);
    slots[at] = key;
}

}  // namespace spangate
