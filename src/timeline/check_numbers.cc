// Is everything there that a gateway gave a number to, and in the order of the numbers? See
// README.md.
#include <algorithm>
#include <tuple>

#include <fmt/format.h>

#include "timeline/draft.h"

namespace spangate {
namespace {

struct NumberRange {
    std::uint64_t from = 0;
    std::uint64_t to = 0;

    [[nodiscard]] std::uint64_t count() const { return to - from + 1; }
};

// What explains missing numbers.
struct ToldGap {
    NumberRange range;
    std::uint32_t event = 0;
};

class NumberCheck {
  public:
    explicit NumberCheck(Draft& draft)
        : draft_(draft),
          sightings_(draft.ledger.sightings()),
          damages_(draft.ledger.damages()) {}

    void check() {
        draft_.timeline.completeness.damaged = damages_.size();
        std::sort(damages_.begin(), damages_.end());
        std::sort(sightings_.begin(), sightings_.end(), by_number);
        for (std::size_t begin = 0; begin < sightings_.size();) {
            std::size_t end = begin;
            while (end < sightings_.size() && sightings_[end].counter == sightings_[begin].counter)
                ++end;
            check_counter(begin, end);
            begin = end;
        }
        check_order();
        find_classes_missing();
        place_damages();
        tell_classes_missing();
    }

  private:
    // An event that promises a class that was not read.
    struct Missing {
        std::uint32_t event = 0;
        std::uint32_t counter = 0;
        std::uint64_t seq = 0;
        EventClass event_class = EventClass::operational;
    };

    static bool by_number(const Sighting& a, const Sighting& b) {
        return std::tie(a.counter, a.seq, a.event_class, a.offset, a.event) <
               std::tie(b.counter, b.seq, b.event_class, b.offset, b.event);
    }

    static bool by_place(const Sighting& a, const Sighting& b) {
        return std::tie(a.event_class, a.partition, a.offset, a.counter, a.seq) <
               std::tie(b.event_class, b.partition, b.offset, b.counter, b.seq);
    }

    void check_counter(std::size_t begin, std::size_t end);
    [[nodiscard]] std::vector<ToldGap> told_gaps(std::size_t begin, std::size_t end) const;
    void judge_hole(
        NumberRange hole,
        const Sighting* before,
        const Sighting& after,
        const std::vector<ToldGap>& told
    );
    void judge_unexplained(NumberRange hole, const Sighting* before, const Sighting& after);
    [[nodiscard]] std::uint64_t damages_between(const Sighting* before, const Sighting& after);
    void check_order();
    void check_order_of(std::vector<Sighting>& firsts);
    void find_classes_missing();
    void place_damages();
    [[nodiscard]] std::size_t missing_around(
        const Sighting* before, const Sighting* after, EventClass event_class
    ) const;
    void tell_classes_missing();

    Draft& draft_;
    std::vector<Sighting>& sightings_;
    std::vector<Damage>& damages_;  // those that are not placed yet
    std::vector<Missing> missing_;
};

std::vector<ToldGap> NumberCheck::told_gaps(std::size_t begin, std::size_t end) const {
    std::vector<ToldGap> told;
    for (std::size_t i = begin; i < end; ++i) {
        const StoryEvent& event = draft_.timeline.events[sightings_[i].event];
        if (event.type != EventType::gateway_gap) continue;
        if (event.seq_from < 1 || event.seq_to < event.seq_from) continue;
        told.push_back(
            {{static_cast<std::uint64_t>(event.seq_from), static_cast<std::uint64_t>(event.seq_to)},
             sightings_[i].event}
        );
    }
    std::sort(told.begin(), told.end(), [](const ToldGap& a, const ToldGap& b) {
        return std::tie(a.range.from, a.range.to) < std::tie(b.range.from, b.range.to);
    });
    return told;
}

void NumberCheck::check_counter(std::size_t begin, std::size_t end) {
    const std::vector<ToldGap> told = told_gaps(begin, end);
    const Sighting* before = nullptr;
    // Without the records before a time, a counter's first numbers are not there either.
    std::uint64_t expected = draft_.settings.since > 0 ? sightings_[begin].seq : 1;
    for (std::size_t i = begin; i < end; ++i) {
        const Sighting& sighting = sightings_[i];
        if (sighting.seq > expected) {
            judge_hole({expected, sighting.seq - 1}, before, sighting, told);
        }
        expected = std::max(expected, sighting.seq + 1);
        before = &sighting;
    }
}

void NumberCheck::judge_hole(
    NumberRange hole,
    const Sighting* before,
    const Sighting& after,
    const std::vector<ToldGap>& told
) {
    std::uint64_t at = hole.from;
    for (const ToldGap& gap : told) {
        const NumberRange part{std::max(gap.range.from, at), std::min(gap.range.to, hole.to)};
        if (part.from > part.to) continue;
        if (part.from > at) judge_unexplained({at, part.from - 1}, before, after);
        draft_.timeline.completeness.events_explained += part.count();
        const StoryEvent& event = draft_.timeline.events[gap.event];
        draft_.tell_range(
            FindingKind::explained_gap,
            Severity::warning,
            before == nullptr ? after.event : before->event,
            after.event,
            fmt::format(
                "{} not delivered, as {} tells (numbers {} to {}): {}",
                counted(part.count(), "event"),
                draft_.timeline.text(event.gateway_id),
                part.from,
                part.to,
                draft_.timeline.text(event.reason)
            )
        );
        at = part.to + 1;
    }
    if (at <= hole.to) judge_unexplained({at, hole.to}, before, after);
}

void NumberCheck::judge_unexplained(
    NumberRange hole, const Sighting* before, const Sighting& after
) {
    const std::uint32_t first = before == nullptr ? after.event : before->event;
    const std::uint64_t damaged = std::min(damages_between(before, after), hole.count());
    for (std::uint64_t i = 0; i < damaged; ++i) {
        draft_.tell_range(
            FindingKind::damaged,
            Severity::critical,
            first,
            after.event,
            "an operational record is there and cannot be read"
        );
    }
    const std::uint64_t missing = hole.count() - damaged;
    if (missing == 0) return;
    draft_.timeline.completeness.events_missing += missing;
    const NumberCounter& counter = draft_.ledger.counters()[after.counter];
    draft_.tell_range(
        FindingKind::gap,
        Severity::critical,
        first,
        after.event,
        fmt::format(
            "{} missing: {}{} of {}",
            counted(missing, "event"),
            hole.from == hole.to ? "number " : "numbers ",
            hole.from == hole.to ? fmt::format("{}", hole.from)
                                 : fmt::format("{} to {}", hole.from, hole.to),
            draft_.timeline.text(counter.gateway_id)
        )
    );
}

// Takes the damaged operational records between two numbers' places, which are those in between.
std::uint64_t NumberCheck::damages_between(const Sighting* before, const Sighting& after) {
    if (after.event_class != EventClass::operational || after.offset < 0) return 0;
    const bool has_before = before != nullptr && before->partition == after.partition &&
                            before->event_class == EventClass::operational;
    const std::int64_t from = has_before ? before->offset : -1;
    return std::erase_if(damages_, [&](const Damage& damage) {
        return damage.event_class == EventClass::operational &&
               damage.partition == after.partition && damage.offset > from &&
               damage.offset < after.offset;
    });
}

// First appearances are in the order of their numbers (contract §8); later ones may be anywhere.
void NumberCheck::check_order() {
    std::vector<Sighting> firsts;
    for (const Sighting& sighting : sightings_) {
        const bool is_stored = sighting.event_class == EventClass::operational;
        if (is_stored && sighting.offset >= 0) firsts.push_back(sighting);
    }
    std::sort(firsts.begin(), firsts.end(), [](const Sighting& a, const Sighting& b) {
        return std::tie(a.counter, a.partition, a.event, a.offset) <
               std::tie(b.counter, b.partition, b.event, b.offset);
    });
    const auto is_same = [](const Sighting& a, const Sighting& b) {
        return a.counter == b.counter && a.partition == b.partition && a.event == b.event;
    };
    firsts.erase(std::unique(firsts.begin(), firsts.end(), is_same), firsts.end());
    check_order_of(firsts);
}

void NumberCheck::check_order_of(std::vector<Sighting>& firsts) {
    std::sort(firsts.begin(), firsts.end(), [](const Sighting& a, const Sighting& b) {
        return std::tie(a.counter, a.partition, a.offset) <
               std::tie(b.counter, b.partition, b.offset);
    });
    Completeness& completeness = draft_.timeline.completeness;
    for (std::size_t begin = 0; begin < firsts.size();) {
        std::size_t end = begin;
        std::vector<std::uint64_t> numbers;
        while (end < firsts.size() && firsts[end].counter == firsts[begin].counter &&
               firsts[end].partition == firsts[begin].partition)
            numbers.push_back(firsts[end++].seq);
        std::sort(numbers.begin(), numbers.end());
        for (std::size_t i = begin; i < end; ++i) {
            const auto rank = static_cast<std::size_t>(
                std::lower_bound(numbers.begin(), numbers.end(), firsts[i].seq) - numbers.begin()
            );
            const std::size_t place = i - begin;
            const std::size_t displacement = rank > place ? rank - place : place - rank;
            completeness.displacement_max =
                std::max<std::uint64_t>(completeness.displacement_max, displacement);
            if (i == begin || firsts[i].seq >= firsts[i - 1].seq) continue;
            ++completeness.reordered;
            draft_.tell(
                FindingKind::out_of_order,
                Severity::warning,
                firsts[i].event,
                fmt::format(
                    "number {} is stored behind number {} (offsets {} and {})",
                    firsts[i].seq,
                    firsts[i - 1].seq,
                    firsts[i].offset,
                    firsts[i - 1].offset
                )
            );
        }
        begin = end;
    }
}

// An operational record stands for every event; detail and evidence for those that are primary.
void NumberCheck::find_classes_missing() {
    Timeline& timeline = draft_.timeline;
    std::vector<bool> is_missing(timeline.events.size(), false);
    for (std::uint32_t i = 0; i < timeline.events.size(); ++i) {
        const StoryEvent& event = timeline.events[i];
        const bool is_primary = is_zero(event.primary_id) || event.primary_id == event.id;
        for (std::size_t c = 0; c < event_classes_count; ++c) {
            const auto event_class = static_cast<EventClass>(c);
            const bool is_operational = event_class == EventClass::operational;
            const bool is_promised =
                is_operational || (is_primary && (event.classes & bit(event_class)) != 0);
            if (!is_promised) continue;
            ClassCompleteness& facts = timeline.completeness.classes[c];
            ++facts.promised;
            if ((event.seen & bit(event_class)) != 0) ++facts.present;
            const bool is_there = (event.seen & bit(event_class)) != 0;
            if (is_there || !draft_.is_readable(event_class) || !draft_.is_settled(event)) continue;
            Missing missing;
            missing.event = i;
            missing.event_class = event_class;
            missing_.push_back(missing);
            is_missing[i] = true;
        }
    }
    if (missing_.empty()) return;
    for (const Sighting& sighting : sightings_) {
        if (!is_missing[sighting.event]) continue;
        auto missing = std::partition_point(missing_.begin(), missing_.end(), [&](const auto& m) {
            return m.event < sighting.event;
        });
        for (; missing != missing_.end() && missing->event == sighting.event; ++missing) {
            missing->counter = sighting.counter;
            missing->seq = sighting.seq;
        }
    }
}

// The missing record that must have stood between two others; none: missing_.size().
std::size_t NumberCheck::missing_around(
    const Sighting* before, const Sighting* after, EventClass event_class
) const {
    for (std::size_t i = 0; i < missing_.size(); ++i) {
        const Missing& missing = missing_[i];
        if (missing.event_class != event_class) continue;
        const bool is_behind =
            before == nullptr || before->counter != missing.counter || before->seq <= missing.seq;
        const bool is_ahead =
            after == nullptr || after->counter != missing.counter || after->seq >= missing.seq;
        if (is_behind && is_ahead) return i;
    }
    return missing_.size();
}

// Which event each damaged record belonged to, as far as its place tells.
void NumberCheck::place_damages() {
    constexpr std::size_t placed_max = 1'000;  // findings_max: no more are listed
    if (damages_.size() > placed_max) damages_.resize(placed_max);
    if (!damages_.empty()) std::sort(sightings_.begin(), sightings_.end(), by_place);
    for (const Damage& damage : damages_) {
        Sighting wanted;
        wanted.event_class = damage.event_class;
        wanted.partition = damage.partition;
        wanted.offset = damage.offset;
        const auto behind =
            std::lower_bound(sightings_.begin(), sightings_.end(), wanted, by_place);
        const auto neighbour = [&](auto at) {
            const bool is_one = at->event_class == damage.event_class &&
                                at->partition == damage.partition && damage.offset >= 0;
            return is_one ? &*at : nullptr;
        };
        const Sighting* before =
            behind == sightings_.begin() ? nullptr : neighbour(std::prev(behind));
        const Sighting* after = behind == sightings_.end() ? nullptr : neighbour(behind);
        std::uint32_t event = no_index;
        const std::size_t found = missing_around(before, after, damage.event_class);
        if (found < missing_.size()) {
            event = missing_[found].event;
            if (damage.event_class == EventClass::evidence) draft_.damaged_evidence.insert(event);
            missing_.erase(missing_.begin() + static_cast<std::ptrdiff_t>(found));
        } else if (after != nullptr) {
            event = after->event;
        } else if (before != nullptr) {
            event = before->event;
        }
        draft_.tell(
            FindingKind::damaged,
            Severity::critical,
            event,
            fmt::format("a record of {} is there and cannot be read", name_of(damage.event_class))
        );
    }
}

void NumberCheck::tell_classes_missing() {
    for (const Missing& missing : missing_) {
        const StoryEvent& event = draft_.timeline.events[missing.event];
        // Evidence that was committed to is judged by its commitment.
        const bool is_committed =
            missing.event_class == EventClass::evidence && event.evidence_commitment != no_text;
        if (is_committed) continue;
        const bool is_operational = missing.event_class == EventClass::operational;
        draft_.tell(
            FindingKind::class_missing,
            is_operational ? Severity::critical : Severity::warning,
            missing.event,
            fmt::format("its {} record is not there", name_of(missing.event_class))
        );
    }
}

}  // namespace

void check_numbers(Draft& draft) {
    NumberCheck(draft).check();
}

}  // namespace spangate
