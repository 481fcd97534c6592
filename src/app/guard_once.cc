#include "app/guard_once.h"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "base/text.h"
#include "guard/guarded_session.h"
#include "guard/watch.h"

namespace spangate {
namespace {

std::atomic<bool> is_stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void stop(int) {
    is_stopping.store(true, std::memory_order_relaxed);
}

// What others have written does not reach a terminal as it is.
std::string shown(std::string_view text) {
    std::string clean;
    append_as_utf8(text, clean);
    for (char& c : clean) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) c = '?';
    }
    // C1 controls, U+0080 to U+009F.
    for (std::size_t at = clean.find('\xc2'); at != std::string::npos;
         at = clean.find('\xc2', at + 1)) {
        if (at + 1 < clean.size() && static_cast<unsigned char>(clean[at + 1]) < 0xa0) {
            clean.replace(at, 2, "??");
        }
    }
    return clean;
}

// One line for each telling.
class Printer final : public WatchSink {
  public:
    void tell(const GuardTelling& telling) override {
        const LoopTelling& told = telling.telling;
        worst_ = std::max(worst_, told.severity);
        ++told_count_;
        const std::string line = fmt::format(
            "{} {:<8} {:<3} {} {}/{} ${:.4f} {}\n",
            to_rfc3339(told.at).substr(0, 19) + "Z",
            name_of(told.severity),
            signal_code(told.signal),
            name_of(told.signal),
            shown(telling.session.tenant_id),
            shown(telling.session.session_id),
            told.cost_so_far_usd,
            shown(told.text)
        );
        if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()) has_reader_ = false;
    }

    void evict(GuardedSession& /*session*/) override { ++evicted_count_; }

    void forget(const GuardedSession& /*session*/) override {}

    [[nodiscard]] bool has_reader() const { return has_reader_; }

    [[nodiscard]] std::uint64_t told_count() const { return told_count_; }

    [[nodiscard]] std::uint64_t evicted_count() const { return evicted_count_; }

    [[nodiscard]] ExitCode code() const {
        switch (worst_) {
            case Severity::info:
                return ExitCode::clean;
            case Severity::warning:
                return ExitCode::findings;
            case Severity::critical:
                break;
        }
        return ExitCode::critical;
    }

  private:
    Severity worst_ = Severity::info;
    std::uint64_t told_count_ = 0;
    std::uint64_t evicted_count_ = 0;
    bool has_reader_ = true;
};

// Records read, damaged ones, and the time of the newest.
struct Course {
    std::uint64_t records = 0;
    std::uint64_t damaged = 0;
    WallNanos newest = 0;
};

Result<Course> read_all(EventReader& reader, Watch& watch, const Printer& printer) {
    Course course;
    StoredEvent stored;
    std::int64_t number = 0;
    while (printer.has_reader() && !is_stopping.load(std::memory_order_relaxed)) {
        const Result<ReadState> state = reader.next(stored);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) break;
        if (*state == ReadState::nothing_yet) continue;
        ++course.records;
        const Shard shard{0, std::max(stored.partition, 0)};
        if (watch.observe(shard, number++, stored) == Watched::damaged) ++course.damaged;
        course.newest = std::max(course.newest, stored.received_at);
    }
    course.damaged += reader.damaged();
    // Who is silent at the end of the log has been silent since.
    watch.tick([&course](Shard) { return course.newest; });
    return course;
}

}  // namespace

ExitCode guard_once(const ReadingPlace& place) {
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    std::signal(SIGPIPE, SIG_IGN);
    const Result<std::unique_ptr<EventReader>> reader = place.open({});
    if (!reader) return reading_failure("guard", reader.error());
    Printer printer;
    Watch watch(place.config.guard, place.tenant_id, printer);
    const Result<Course> course = read_all(**reader, watch, printer);
    if (!course) return reading_failure("guard", course.error());
    (void)std::fflush(stdout);
    std::fprintf(
        stderr,
        "spangate guard: %llu records of %zu sessions, %llu signals",
        static_cast<unsigned long long>(course->records),
        watch.shelf().size(),
        static_cast<unsigned long long>(printer.told_count())
    );
    if (course->damaged > 0) {
        std::fprintf(stderr, ", %llu damaged", static_cast<unsigned long long>(course->damaged));
    }
    if (printer.evicted_count() > 0) {
        std::fprintf(
            stderr,
            ", %llu sessions forgotten (guard.sessions_max)",
            static_cast<unsigned long long>(printer.evicted_count())
        );
    }
    std::fputs("\n", stderr);
    return printer.code();
}

}  // namespace spangate
