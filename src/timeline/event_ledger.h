// Which records of a session were read: each event once, with how often and how differently it was
// told, and every number that a gateway gave. Events stand in chunks, so that 100,000 of them never
// lie in memory twice. Nothing here depends on the order of adding. Included by this room's .cc
// files alone.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <memory>
#include <unordered_set>
#include <vector>

#include "timeline/detail_store.h"
#include "timeline/story_event.h"
#include "timeline/story_reader.h"
#include "timeline/timeline.h"

namespace spangate {

// A gateway's counter: numbers are without holes within it.
struct NumberCounter {
    TextId gateway_id = no_text;
    TextId tenant_id = no_text;
    TextId session_id = no_text;
    std::uint64_t epoch = 0;

    friend auto operator<=>(const NumberCounter&, const NumberCounter&) = default;
};

// One record seen.
struct Sighting {
    std::uint64_t seq = 0;
    std::int64_t offset = -1;
    std::int32_t partition = -1;
    std::uint32_t event = 0;
    std::uint32_t counter = 0;
    EventClass event_class = EventClass::operational;
};

// A record that could not be read.
struct Damage {
    EventClass event_class = EventClass::operational;
    std::int32_t partition = -1;
    std::int64_t offset = -1;

    friend auto operator<=>(const Damage&, const Damage&) = default;
};

// How an event was told.
struct Tellings {
    std::uint64_t operational = 0;  // marks of the copy that the event is of
    std::uint64_t detail = 0;
    std::uint64_t detail_shared = 0;
    WallNanos detail_at = 0;
    std::uint32_t copies = 0;  // beyond the first of a class
    std::uint8_t rank = 0;     // of the class that the event is of: 0 is operational
    std::uint8_t json_classes = 0;
    bool has_conflict = false;
    DetailNo detail_no = no_detail;
};

class EventLedger {
  public:
    EventLedger();

    // `detail` where the record is of that class and is kept.
    void add(const StoryEvent& event, const RecordMarks& marks, DetailNo detail);

    void add_damage(const Damage& damage) { damages_.push_back(damage); }

    [[nodiscard]] std::uint32_t size() const { return count_; }

    [[nodiscard]] StoryEvent& event(std::uint32_t index) {
        return chunks_[index / chunk_events][index % chunk_events];
    }

    [[nodiscard]] const StoryEvent& event(std::uint32_t index) const {
        return chunks_[index / chunk_events][index % chunk_events];
    }

    // Forgets the events of other tenants, and their numbers.
    void keep_tenant(TextId tenant_id);

    // Moves the events out, in this order of all of them; what the ledger keeps of them is
    // renumbered the same way.
    [[nodiscard]] std::vector<StoryEvent> take_events(std::vector<std::uint32_t> order);

    std::vector<Tellings>& tellings() { return tellings_; }

    std::vector<Sighting>& sightings() { return sightings_; }

    [[nodiscard]] const std::vector<NumberCounter>& counters() const { return counters_; }

    std::vector<Damage>& damages() { return damages_; }

  private:
    static constexpr std::uint32_t chunk_events = 1024;

    // Whole pages of their own, so that each goes back to the system as soon as it is empty.
    struct Unmap {
        void operator()(StoryEvent* events) const;
    };

    using Chunk = std::unique_ptr<StoryEvent[], Unmap>;
    [[nodiscard]] static Chunk make_chunk();

    [[nodiscard]] std::uint32_t find_or_add(const StoryEvent& event);
    [[nodiscard]] std::uint32_t counter_of(const StoryEvent& event);
    void grow_index();
    [[nodiscard]] std::uint32_t slot_of(const StoryEvent& event) const;
    void meet(
        StoryEvent& known, Tellings& tellings, const StoryEvent& event, const RecordMarks& marks
    );

    std::vector<Chunk> chunks_;
    std::uint32_t count_ = 0;
    std::vector<std::uint32_t> index_;  // open addressing; no_index: free
    std::vector<Tellings> tellings_;
    std::vector<Sighting> sightings_;
    std::vector<NumberCounter> counters_;
    std::map<NumberCounter, std::uint32_t> counter_numbers_;
    std::vector<Damage> damages_;
    std::unordered_set<std::uint64_t> evidence_;  // marks of the chunks that were seen
};

}  // namespace spangate
