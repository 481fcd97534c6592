// One thing is made wrong in a good session: exactly that is found, at that step.
#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <random>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "stored_session.h"
#include "timeline/timeline_builder.h"

namespace spangate {
namespace {

using Records = std::vector<StoredRecord>;

struct Mutation {
    std::string what;
    std::string event_id;
    FindingKind wanted = FindingKind::gap;
    std::string next_id;  // of a gap: it is told between the numbers around it
};

// What stands at `"name":"…"` in the record, with another last character.
bool edit_text(std::string& value, const std::string& name) {
    const std::size_t at = value.find("\"" + name + "\":\"");
    if (at == std::string::npos) return false;
    const std::size_t end = value.find('"', at + name.size() + 4);
    char& last = value[end - 1];
    last = last == '1' ? '2' : '1';
    return true;
}

class Mutator {
  public:
    explicit Mutator(std::uint32_t seed) : random_(seed) {}

    // Nothing: this cannot be told from the numbers (the last one, contract §3).
    std::optional<Mutation> mutate(Records& records) {
        switch (pick(5)) {
            case 0:
                return drop(records);
            case 1:
                return repeat(records);
            case 2:
                return swap(records);
            case 3:
                return edit(records);
            default:
                return truncate(records);
        }
    }

  private:
    std::size_t pick(std::size_t count) {
        return std::uniform_int_distribution<std::size_t>(0, count - 1)(random_);
    }

    static bool is_last(const Records& records, std::size_t at) {
        const StoredEvent& stored = records[at].stored;
        return std::none_of(records.begin(), records.end(), [&](const StoredRecord& other) {
            return other.stored.event_class == stored.event_class &&
                   other.stored.offset > stored.offset;
        });
    }

    std::optional<Mutation> drop(Records& records) {
        const std::size_t at = pick(records.size());
        const StoredRecord record = records[at];
        Mutation mutation{"drop", record.event_id, FindingKind::class_missing, {}};
        if (record.stored.event_class == EventClass::evidence) {
            mutation.wanted = FindingKind::evidence_missing;
        } else if (record.stored.event_class == EventClass::operational && !record.is_primary) {
            if (is_last(records, at)) return std::nullopt;
            mutation.wanted = FindingKind::gap;
            mutation.next_id = records[at + 1].event_id;
        }
        records.erase(records.begin() + static_cast<std::ptrdiff_t>(at));
        return mutation;
    }

    std::optional<Mutation> repeat(Records& records) {
        StoredRecord copy = records[pick(records.size())];
        copy.stored.offset += 1'000;
        records.push_back(copy);
        return Mutation{"repeat", copy.event_id, FindingKind::duplicate, {}};
    }

    std::optional<Mutation> swap(Records& records) {
        std::vector<StoredRecord*> operational;
        for (StoredRecord& record : records) {
            if (record.stored.event_class == EventClass::operational)
                operational.push_back(&record);
        }
        const std::size_t at = pick(operational.size() - 1);
        std::swap(operational[at]->stored.offset, operational[at + 1]->stored.offset);
        return Mutation{"swap", operational[at]->event_id, FindingKind::out_of_order, {}};
    }

    std::optional<Mutation> edit(Records& records) {
        StoredRecord& record = records[pick(records.size())];
        Mutation mutation{"edit", record.event_id, FindingKind::conflict, {}};
        bool is_edited = false;
        if (record.stored.event_class == EventClass::evidence) {
            mutation.wanted = FindingKind::evidence_mismatch;
            const bool in_salt = pick(2) == 0;
            std::string& value = record.stored.value;
            const std::string name = in_salt ? "salt" : "payload";
            const std::size_t at = value.find("\"" + name + "\":\"") + name.size() + 5;
            value[at] = value[at] == 'A' ? 'B' : 'A';
            is_edited = true;
        } else if (record.is_primary) {
            static constexpr std::array names = {"agent_name", "outcome", "event_type", "rules"};
            is_edited = edit_text(record.stored.value, names[pick(names.size())]);
        }
        // Of an event with one record, any text is as good as another: no chain in version 1.
        return is_edited ? std::optional(mutation) : std::nullopt;
    }

    std::optional<Mutation> truncate(Records& records) {
        const std::size_t at = pick(records.size());
        StoredRecord& record = records[at];
        record.stored.value.resize(pick(record.stored.value.size()));
        Mutation mutation{"truncate", record.event_id, FindingKind::damaged, {}};
        const bool is_hole =
            record.stored.event_class == EventClass::operational && !record.is_primary;
        if (is_hole && at + 1 < records.size()) mutation.next_id = records[at + 1].event_id;
        return mutation;
    }

    std::mt19937 random_;
};

// The steps of an event, in the session as it should be.
std::uint32_t step_of(const Timeline& timeline, const std::string& event_id) {
    for (std::uint32_t i = 0; i < timeline.steps.size(); ++i) {
        const Step& step = timeline.steps[i];
        if (to_hex(timeline.event_of(step).id) == event_id) return i;
        if (step.request != no_index && to_hex(timeline.events[step.request].id) == event_id) {
            return i;
        }
    }
    return no_index;
}

// Empty: as wanted. The step of the event itself, or around where it should be.
std::string fault_of(const Timeline& good, const Timeline& found, const Mutation& mutation) {
    std::string text;
    for (const Finding& finding : found.findings)
        text += fmt::format(
            "{} {}..{}; ", name_of(finding.kind), finding.first_step, finding.last_step
        );
    const bool is_one = found.findings.size() == 1 && found.findings[0].kind == mutation.wanted;
    if (!is_one) return fmt::format("{} of {}: {}", mutation.what, mutation.event_id, text);
    const Finding& finding = found.findings[0];
    if (!mutation.next_id.empty() && to_hex(finding.event_id) == mutation.next_id) return {};
    const std::uint32_t wanted = step_of(good, mutation.event_id);
    if (to_hex(finding.event_id) == mutation.event_id) return {};
    // A step may be gone with the event: then the place is one off.
    const bool is_near = finding.first_step <= wanted + 1 && wanted <= finding.last_step + 1;
    return is_near ? std::string() : fmt::format("{} at {}: {}", mutation.what, wanted, text);
}

}  // namespace

TEST_CASE("ten thousand mutations of a good session: none missed, none false") {
    const Records good_records = StoredSession::good().records();
    const Timeline good = timeline_of(good_records);
    REQUIRE(good.findings.empty());
    std::map<std::string, int> counts;
    std::vector<std::string> faults;
    constexpr int wanted_count = 10'000;
    Mutator mutator(20'261'121);
    for (int made = 0; made < wanted_count;) {
        Records records = good_records;
        const std::optional<Mutation> mutation = mutator.mutate(records);
        if (!mutation) continue;
        ++made;
        ++counts[mutation->what + " → " + std::string(name_of(mutation->wanted))];
        std::string fault = fault_of(good, timeline_of(records), *mutation);
        if (!fault.empty()) faults.push_back(std::move(fault));
    }
    for (std::size_t i = 0; i < std::min<std::size_t>(faults.size(), 10); ++i)
        UNSCOPED_INFO(faults[i]);
    CHECK(faults.empty());
    CHECK(counts.size() == 8);
}

}  // namespace spangate
