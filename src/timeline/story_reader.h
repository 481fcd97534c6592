// A stored record as a StoryEvent. One thread.
#pragma once

#include <cstdint>
#include <memory>

#include "session/event_reader.h"
#include "timeline/story_event.h"

namespace spangate {

// What tells two copies of an event from each other. Fields in which copies may differ (contract
// §6) have no part in it. Only marks of the same encoding can be compared.
struct RecordMarks {
    bool is_json = true;
    std::uint64_t shared = 0;  // of the fields that operational and detail have in common
    std::uint64_t whole = 0;
    std::uint64_t telling = 0;  // of evidence: its commitment and chunk
};

class StoryReader {
  public:
    StoryReader();
    ~StoryReader();

    // False when the record is none of ours or is damaged; `event` is then undefined. Every field
    // that the record tells is set, whatever its class; `seen` is the record's class, and
    // `event_id` of detail and evidence is that of the primary event. Unknown types and values are
    // `other`; numbers outside the contract's range are left out.
    [[nodiscard]] bool read(const StoredEvent& stored, TextPool& texts, StoryEvent& event);

    // Of the record that was read last.
    [[nodiscard]] const RecordMarks& marks() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
