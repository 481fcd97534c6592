// The entries that were read and are not yet let go: from the oldest one that is not acknowledged
// to the last one read. Entry numbers rise by one; memory: 32 bytes an entry. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

namespace spangate {

// Where a record stands.
struct RecordPlace {
    std::uint64_t segment = 0;
    std::uint64_t offset = 0;
    std::uint32_t index = 0;

    bool operator==(const RecordPlace&) const = default;
};

class EntryWindow {
  public:
    // A record read for the first time; its entry number. Only when next_again() gives nothing.
    std::uint64_t add(const RecordPlace& place);

    // After rewind(): the next entry to read again, skipping acknowledged ones.
    struct Again {
        std::uint64_t entry_no = 0;
        RecordPlace place;
    };

    [[nodiscard]] std::optional<Again> next_again();

    // What next_again() gave last could not be read now.
    void put_back() { --next_; }

    [[nodiscard]] bool has_again() const;

    void rewind() { next_ = 0; }

    // False: it was let go before, or is acknowledged already.
    bool acknowledge(std::uint64_t entry_no);

    // The oldest that is not acknowledged; nothing: all are.
    [[nodiscard]] std::optional<RecordPlace> oldest() const;

  private:
    struct Entry {
        RecordPlace place;
        bool is_acknowledged = false;
    };

    std::deque<Entry> entries_;
    std::uint64_t first_no_ = 1;
    std::size_t next_ = 0;  // of entries_: the next to read; entries_.size(): all were read
};

}  // namespace spangate
