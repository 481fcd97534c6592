// Sums over all sessions while their events stream by: what `sessions` lists and `report` adds up.
// Reads operational events, each once, in the order in which they are stored. One thread.
//
// Memory is bounded by names: `sessions_max` sessions (some 0.5 KiB each), `guard.sessions_max`
// loop detectors (some 3 KiB each), `repeats_min` remembered event ids (at most 64 MiB), and
// `names_max` names of each kind. What is beyond a bound is counted, never dropped without a word.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "report/recent_keys.h"
#include "report/run_sums.h"
#include "report/step_counter.h"
#include "timeline/loop_detector.h"
#include "timeline/story_event.h"

namespace spangate {

enum class Verdict : std::uint8_t { ok, warning, critical };
inline constexpr std::array<std::string_view, 3> verdict_names = {"ok", "warning", "critical"};

[[nodiscard]] constexpr std::string_view name_of(Verdict verdict) {
    return verdict_names[static_cast<std::size_t>(verdict)];
}

// What a list of sessions is sorted by; ties go on with the next of `worst`.
//   worst: critical before warning before ok; then more errors, more loops, more cost, the newer
enum class SessionOrder : std::uint8_t { worst, cost, errors, loops, duration, newest };
inline constexpr std::array<std::string_view, 6> session_order_names = {
    "worst", "cost", "errors", "loops", "duration", "newest"};

struct SessionSums {
    std::string tenant_id;
    std::string session_id;
    RunSums sums;
    WallNanos started_at = 0;  // by the clients' clocks
    WallNanos ended_at = 0;
    std::uint32_t loops = 0;    // that the loop detector told, each once
    std::uint16_t signals = 0;  // a bit for each LoopSignal
    std::optional<Severity> worst_signal;
    std::uint32_t unfinished = 0;
    std::uint64_t missing = 0;          // numbers that nothing explains
    std::uint64_t explained = 0;        // numbers that a gateway tells it did not deliver
    std::vector<std::uint32_t> agents;  // SessionLedger::agent_name(); the first `agents_max`

    [[nodiscard]] WallNanos duration() const {
        return ended_at > started_at ? ended_at - started_at : 0;
    }

    // critical: a hole that nothing explains, or a critical signal; warning: errors, a warning
    // signal, what was not delivered, or not finished.
    [[nodiscard]] Verdict verdict() const;

    [[nodiscard]] bool has_signal(LoopSignal signal) const {
        return (signals >> static_cast<unsigned>(signal) & 1U) != 0;
    }
};

// True when `a` is listed before `b`.
[[nodiscard]] bool is_listed_before(const SessionSums& a, const SessionSums& b, SessionOrder order);

struct SessionLedgerLimits {
    std::size_t sessions_max = 1'000'000;  // with more, those quiet longest are closed
    std::size_t repeats_min = 1U << 21U;   // events between two copies that are still told apart
    std::size_t names_max = 10'000;        // of agents, models, tools and tenants, each
    std::size_t kept_max = SIZE_MAX;       // of closed sessions, the first in the order asked for
};

class SessionLedger {
  public:
    static constexpr std::size_t agents_max = 32;  // of a session
    static constexpr std::string_view others = "(others)";
    static constexpr std::string_view nobody = "-";

    // A name within its tenant.
    using Name = std::pair<std::string, std::string>;

    struct Group {
        RunSums sums;
        std::uint64_t sessions = 0;  // told for tenants alone
    };

    using Groups = std::map<Name, Group>;

    // Outlived by `guard`. `since`: the start of sessions may not have been read.
    SessionLedger(const GuardConfig& guard, SessionOrder order, SessionLedgerLimits limits);
    ~SessionLedger();

    void add(const StoryEvent& event, const TextPool& texts);

    // Sorted; at most `limit`, 0: all. Valid until the next add().
    [[nodiscard]] std::vector<const SessionSums*> listed(std::size_t limit) const;

    [[nodiscard]] std::uint64_t sessions() const { return records_.size() + closed_count_; }

    // Of all sessions. Errors are those of sessions: a failed run counts where nothing else failed.
    [[nodiscard]] RunSums totals() const;
    [[nodiscard]] std::uint64_t errors() const;
    [[nodiscard]] std::uint64_t loops() const;
    [[nodiscard]] WallNanos wall_duration() const;  // sum over sessions

    [[nodiscard]] WallNanos started_at() const { return started_at_; }

    [[nodiscard]] WallNanos ended_at() const { return ended_at_; }

    [[nodiscard]] const Groups& agents() const { return agents_; }

    [[nodiscard]] const Groups& models() const { return models_; }

    [[nodiscard]] const Groups& tools() const { return tools_; }

    [[nodiscard]] Groups tenants() const;

    [[nodiscard]] std::string_view agent_name(std::uint32_t index) const { return names_[index]; }

    [[nodiscard]] std::uint64_t repeats() const { return repeats_; }

    // Sessions that were closed to make room: one that went on later is listed twice.
    [[nodiscard]] std::uint64_t closed() const { return closed_count_; }

    // Loop detectors that were given up to make room: those sessions' loops may be told late.
    [[nodiscard]] std::uint64_t detectors_dropped() const { return detectors_dropped_; }

    [[nodiscard]] std::uint64_t doubles() const { return doubles_; }

  private:
    // The numbers of one gateway's counter.
    struct Numbers {
        std::uint64_t counter = 0;  // hash of gateway and epoch
        std::uint64_t first = 0;
        std::uint64_t last = 0;
        std::uint64_t missing = 0;
    };

    struct Record {
        SessionSums session;
        StepCounter counter;
        std::vector<Numbers> numbers;
        std::unique_ptr<LoopDetector> detector;
        std::vector<std::uint64_t> loops_told;  // hashes of signal and first event
        std::uint64_t touched = 0;
    };

    [[nodiscard]] Record& record_of(const StoryEvent& event, const TextPool& texts);
    void track_number(Record& record, const StoryEvent& event, const TextPool& texts, bool is_new);
    void take_usage(const StoryEvent& event, const TextPool& texts, RunSums& sums);
    void watch(Record& record, const StoryEvent& event, const TextPool& texts);
    void give_detector(Record& record);
    void add_to_groups(
        const StoryEvent& event, const TextPool& texts, const RunSums& sums, Record& record
    );
    [[nodiscard]] RunSums& group_of(Groups& groups, std::string_view tenant, std::string_view name);
    void note_agent(SessionSums& session, std::string_view name);
    static void note_times(SessionSums& session, const StoryEvent& event);
    void close_quiet_ones();
    void close(Record& record);
    void trim_closed(std::size_t kept_max);
    void settle(Record& record) const;

    const GuardConfig& guard_;
    const SessionOrder order_;
    const SessionLedgerLimits limits_;
    std::unordered_map<std::string, Record> records_;  // by tenant and session
    std::vector<SessionSums> closed_;
    Groups agents_;
    Groups models_;
    Groups tools_;
    Groups tenants_closed_;
    RunSums closed_sums_;
    std::uint64_t closed_errors_ = 0;
    std::uint64_t closed_loops_ = 0;
    WallNanos closed_duration_ = 0;
    std::vector<std::string> names_ = {std::string(others)};
    std::unordered_map<std::string, std::uint32_t> name_indices_;
    RecentKeys events_seen_;
    RecentKeys answers_seen_;
    std::vector<LoopTelling> told_;
    std::string key_;
    std::size_t detectors_ = 0;
    std::uint64_t clock_ = 0;  // events, to tell who is quiet
    std::uint64_t repeats_ = 0;
    std::uint64_t doubles_ = 0;
    std::uint64_t closed_count_ = 0;
    std::uint64_t detectors_dropped_ = 0;
    WallNanos started_at_ = 0;
    WallNanos ended_at_ = 0;
};

}  // namespace spangate
