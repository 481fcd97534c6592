#include "spool/entry_window.h"

#include <algorithm>

#include "base/check.h"

namespace spangate {

std::uint64_t EntryWindow::add(const RecordPlace& place) {
    SPANGATE_CHECK(next_ == entries_.size());
    entries_.push_back({place, false});
    ++next_;
    return first_no_ + entries_.size() - 1;
}

std::optional<EntryWindow::Again> EntryWindow::next_again() {
    while (next_ < entries_.size() && entries_[next_].is_acknowledged)
        ++next_;
    if (next_ == entries_.size()) return std::nullopt;
    const std::size_t index = next_++;
    return Again{first_no_ + index, entries_[index].place};
}

bool EntryWindow::has_again() const {
    return std::any_of(
        entries_.begin() + static_cast<std::ptrdiff_t>(next_),
        entries_.end(),
        [](const Entry& entry) { return !entry.is_acknowledged; }
    );
}

bool EntryWindow::acknowledge(std::uint64_t entry_no) {
    if (entry_no < first_no_ || entry_no - first_no_ >= entries_.size()) return false;
    Entry& entry = entries_[entry_no - first_no_];
    if (entry.is_acknowledged) return false;
    entry.is_acknowledged = true;
    while (!entries_.empty() && entries_.front().is_acknowledged) {
        entries_.pop_front();
        ++first_no_;
        if (next_ > 0) --next_;
    }
    return true;
}

std::optional<RecordPlace> EntryWindow::oldest() const {
    if (entries_.empty()) return std::nullopt;
    return entries_.front().place;
}

}  // namespace spangate
