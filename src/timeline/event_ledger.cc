#include "timeline/event_ledger.h"

#include <algorithm>
#include <new>
#include <tuple>
#include <type_traits>
#include <utility>

#include <sys/mman.h>

#include "timeline/event_key_hash.h"

namespace spangate {
namespace {

constexpr std::size_t index_size_first = 1024;

std::uint64_t place_hash(const StoryEvent& event) {
    return event_key_hash(event.id) ^ (static_cast<std::uint64_t>(event.tenant_id) * 0x9e3779b97f4a7c15);
}

std::uint8_t rank_of(const StoryEvent& event) {
    for (std::uint8_t i = 0; i < event_classes_count; ++i) {
        if ((event.seen & bit(static_cast<EventClass>(i))) != 0) return i;
    }
    return event_classes_count;
}

}  // namespace

static_assert(std::is_trivially_destructible_v<StoryEvent>);

EventLedger::Chunk EventLedger::make_chunk() {
    void* const pages = ::mmap(
        nullptr,
        chunk_events * sizeof(StoryEvent),
        PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS,
        -1,
        0
    );
    if (pages == MAP_FAILED) throw std::bad_alloc();
    return Chunk(static_cast<StoryEvent*>(pages));
}

void EventLedger::Unmap::operator()(StoryEvent* events) const {
    (void)::munmap(events, chunk_events * sizeof(StoryEvent));
}

EventLedger::EventLedger() : index_(index_size_first, no_index) {}

// Where the event stands in the index, or would.
std::uint32_t EventLedger::slot_of(const StoryEvent& wanted) const {
    const std::size_t mask = index_.size() - 1;
    std::size_t slot = place_hash(wanted) & mask;
    while (index_[slot] != no_index) {
        const StoryEvent& found = event(index_[slot]);
        if (found.id == wanted.id && found.tenant_id == wanted.tenant_id) break;
        slot = (slot + 1) & mask;
    }
    return static_cast<std::uint32_t>(slot);
}

void EventLedger::grow_index() {
    index_.assign(index_.size() * 2, no_index);
    for (std::uint32_t i = 0; i < count_; ++i)
        index_[slot_of(event(i))] = i;
}

std::uint32_t EventLedger::find_or_add(const StoryEvent& added) {
    std::uint32_t slot = slot_of(added);
    if (index_[slot] != no_index) return index_[slot];
    if (std::size_t{count_} * 2 >= index_.size()) {
        grow_index();
        slot = slot_of(added);
    }
    if (count_ % chunk_events == 0) {
        chunks_.push_back(make_chunk());
    }
    index_[slot] = count_;
    new (&event(count_)) StoryEvent(added);
    tellings_.emplace_back();
    tellings_.back().rank = event_classes_count;
    return count_++;
}

std::uint32_t EventLedger::counter_of(const StoryEvent& event) {
    const NumberCounter counter{
        event.gateway_id, event.tenant_id, event.session_id, event.gateway_epoch};
    const auto [known, is_new] =
        counter_numbers_.try_emplace(counter, static_cast<std::uint32_t>(counters_.size()));
    if (is_new) counters_.push_back(counter);
    return known->second;
}

void EventLedger::add(const StoryEvent& added, const RecordMarks& marks, DetailNo detail) {
    const std::uint32_t index = find_or_add(added);
    StoryEvent& known = event(index);
    Tellings& tellings = tellings_[index];
    const auto event_class = static_cast<EventClass>(rank_of(added));
    if (added.gateway_seq > 0) {
        Sighting sighting;
        sighting.seq = added.gateway_seq;
        sighting.offset = added.offset;
        sighting.partition = added.partition;
        sighting.event = index;
        sighting.counter = counter_of(added);
        sighting.event_class = event_class;
        sightings_.push_back(sighting);
    }
    const ClassBits class_bit = bit(event_class);
    const bool is_first = tellings.rank == event_classes_count || (known.seen & class_bit) == 0;
    const bool is_json = (tellings.json_classes & class_bit) != 0;
    if (event_class == EventClass::evidence) {
        const bool is_fresh = evidence_.insert(place_hash(added) ^ marks.telling).second;
        if (!is_fresh) ++tellings.copies;
    } else {
        const std::uint64_t held =
            event_class == EventClass::operational ? tellings.operational : tellings.detail;
        if (!is_first) ++tellings.copies;
        if (!is_first && is_json == marks.is_json && held != marks.whole) {
            tellings.has_conflict = true;
        }
    }
    if (event_class == EventClass::detail &&
        (is_first || std::tie(added.received_at, marks.whole) >=
                         std::tie(tellings.detail_at, tellings.detail))) {
        tellings.detail = marks.whole;
        tellings.detail_shared = marks.shared;
        tellings.detail_at = added.received_at;
        tellings.detail_no = detail;
    }
    if (marks.is_json) {
        tellings.json_classes |= class_bit;
    } else {
        tellings.json_classes &= static_cast<std::uint8_t>(~class_bit);
    }
    meet(known, tellings, added, marks);
}

// The newest copy of the broadest class tells the fields; a usage stays counted when one copy says
// so.
void EventLedger::meet(
    StoryEvent& known, Tellings& tellings, const StoryEvent& added, const RecordMarks& marks
) {
    const std::uint8_t rank = rank_of(added);
    const ClassBits seen = known.seen | added.seen;
    const bool is_counted = known.counted == Told::yes || added.counted == Told::yes;
    const ClassBits classes = known.classes | added.classes;
    const bool is_better =
        rank < tellings.rank ||
        (rank == tellings.rank &&
         std::tie(added.received_at, added.gateway_seq, added.gateway_epoch, marks.whole) >
             std::tie(
                 known.received_at, known.gateway_seq, known.gateway_epoch, tellings.operational
             ));
    if (is_better) {
        known = added;
        tellings.rank = rank;
        if (rank == 0) tellings.operational = marks.whole;
    }
    known.seen = seen;
    known.classes = classes;
    if (is_counted) known.counted = Told::yes;
}

void EventLedger::keep_tenant(TextId tenant_id) {
    std::vector<std::uint32_t> places(count_, no_index);
    std::uint32_t kept = 0;
    for (std::uint32_t i = 0; i < count_; ++i) {
        if (event(i).tenant_id != tenant_id) continue;
        if (kept != i) {
            event(kept) = event(i);
            tellings_[kept] = tellings_[i];
        }
        places[i] = kept++;
    }
    if (kept == count_) return;
    count_ = kept;
    tellings_.resize(kept);
    for (Sighting& sighting : sightings_)
        sighting.event = places[sighting.event];
    std::erase_if(sightings_, [](const Sighting& sighting) { return sighting.event == no_index; });
}

std::vector<StoryEvent> EventLedger::take_events(std::vector<std::uint32_t> order) {
    std::vector<std::uint32_t> places(count_);
    for (std::uint32_t i = 0; i < count_; ++i)
        places[order[i]] = i;
    for (Sighting& sighting : sightings_)
        sighting.event = places[sighting.event];
    // Each circle of moves once through a spare place.
    for (std::uint32_t start = 0; start < count_; ++start) {
        if (order[start] == start) continue;
        const StoryEvent spare = event(start);
        const Tellings spare_tellings = tellings_[start];
        std::uint32_t to = start;
        while (order[to] != start) {
            event(to) = event(order[to]);
            tellings_[to] = tellings_[order[to]];
            to = std::exchange(order[to], to);
        }
        event(to) = spare;
        tellings_[to] = spare_tellings;
        order[to] = to;
    }
    std::vector<StoryEvent> events;
    events.reserve(count_);
    for (std::uint32_t i = 0; i < count_; ++i) {
        events.push_back(event(i));
        if (i % chunk_events == chunk_events - 1) chunks_[i / chunk_events].reset();
    }
    chunks_.clear();
    index_ = {};
    evidence_ = {};
    return events;
}

}  // namespace spangate
