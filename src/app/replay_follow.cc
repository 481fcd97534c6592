#include "app/replay_follow.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "app/replay_output.h"
#include "replay/step_view.h"
#include "timeline/timeline_builder.h"

namespace spangate {
namespace {

constexpr std::chrono::milliseconds gathering_max{150};  // of events that come together
constexpr std::chrono::seconds look_interval{15};        // what time alone tells: silence
constexpr std::size_t sessions_max = 16;                 // a session's aliases

std::atomic<bool> is_stopping{false};
static_assert(std::atomic<bool>::is_always_lock_free, "set from a signal handler");

void stop(int) {
    is_stopping.store(true, std::memory_order_relaxed);
}

using FindingName = std::tuple<FindingKind, EventKey, int, Severity>;

FindingName name_of_finding(const Finding& finding) {
    return {
        finding.kind,
        finding.event_id,
        static_cast<int>(finding.signal.value_or(LoopSignal{})),
        finding.severity};
}

// The whole story is put together anew when something came: steps pair up, move, and end as their
// events arrive in any order, and a replay afterwards must say the same. O(events) a time, so the
// pauses between grow with it.
class FollowedStory {
  public:
    FollowedStory(
        const ReadingPlace& place, const ReplayArguments& arguments, const ReplayPlan& plan
    )
        : place_(place),
          arguments_(arguments),
          plan_(plan),
          settings_(settings_of(place, arguments, plan)) {
        const bool is_text = plan.format == ReplayFormat::text;
        settings_.readable = {EventClass::operational};
        if (!is_text || plan.reads_details) settings_.readable.push_back(EventClass::detail);
        view_ = plan.view;
        view_.folds_loops = false;
    }

    [[nodiscard]] Status follow(ReplayOutput& output);

    // Nothing came, or what was told of what came.
    [[nodiscard]] const Timeline* timeline() const { return is_made_ ? &timeline_ : nullptr; }

  private:
    [[nodiscard]] Status add_session(const std::string& session_id);
    [[nodiscard]] Result<bool> gather();
    [[nodiscard]] Status put_together();
    void tell_news(std::ostream& out);

    const ReadingPlace& place_;
    const ReplayArguments& arguments_;
    const ReplayPlan& plan_;
    TimelineSettings settings_;
    ReplayView view_;
    std::vector<std::unique_ptr<EventReader>> readers_;
    std::set<std::string> sessions_;
    std::vector<StoredEvent> stored_;
    Timeline timeline_;
    bool is_made_ = false;
    bool has_head_ = false;
    std::set<EventKey> told_;
    std::set<FindingName> told_findings_;
    EventKey last_told_{};
};

Status FollowedStory::add_session(const std::string& session_id) {
    if (sessions_.size() == sessions_max || !sessions_.insert(session_id).second) return {};
    EventQuery query;
    query.session_id = session_id;
    query.follows = true;
    query.since = place_.since.value_or(1);  // what is there already is part of the story
    while (true) {
        query.classes = settings_.readable;
        Result<std::unique_ptr<EventReader>> reader = place_.open(query);
        if (reader) {
            readers_.push_back(std::move(*reader));
            return {};
        }
        // Detail is shown to those who may read it, where somebody keeps it.
        const bool is_left_out = reader.error().code == ErrorCode::permission_denied ||
                                 reader.error().code == ErrorCode::not_found;
        if (!is_left_out || settings_.readable.size() == 1) {
            return tl::unexpected(std::move(reader.error()));
        }
        settings_.readable.pop_back();
    }
}

// True when something came.
Result<bool> FollowedStory::gather() {
    const auto end = std::chrono::steady_clock::now() + gathering_max;
    const std::size_t before = stored_.size();
    for (std::unique_ptr<EventReader>& reader : readers_) {
        StoredEvent event;
        while (std::chrono::steady_clock::now() < end) {
            const Result<ReadState> state = reader->next(event);
            if (!state) return tl::unexpected(state.error());
            if (*state != ReadState::event) break;
            stored_.push_back(std::move(event));
        }
    }
    return stored_.size() > before;
}

Status FollowedStory::put_together() {
    TimelineSettings settings = settings_;
    settings.now = SystemClock().wall_nanos();
    TimelineBuilder builder(std::move(settings));
    for (const std::string& session_id : sessions_)
        builder.accept_session(session_id);
    for (const StoredEvent& event : stored_)
        builder.add(event);
    const std::vector<std::string> wanted = builder.wanted_sessions();
    timeline_ = builder.finish();
    is_made_ = true;
    apply_budget(arguments_, timeline_);
    for (const std::string& session_id : wanted) {
        if (Status added = add_session(session_id); !added) return added;
    }
    return {};
}

void FollowedStory::tell_news(std::ostream& out) {
    LiveSteps live;
    live.has_head = !has_head_;
    live.belongs_above = no_index;
    for (std::uint32_t i = 0; i < timeline_.steps.size(); ++i) {
        if (timeline_.event_of(timeline_.steps[i]).id == last_told_) live.belongs_above = i;
    }
    const StepViews views(timeline_, view_);
    for (const std::uint32_t index : views.chosen()) {
        if (told_.insert(timeline_.event_of(timeline_.steps[index]).id).second) {
            live.steps.push_back(index);
        }
    }
    for (std::uint32_t i = 0; i < timeline_.findings.size(); ++i) {
        if (told_findings_.insert(name_of_finding(timeline_.findings[i])).second) {
            live.findings.push_back(i);
        }
    }
    if (live.steps.empty() && live.findings.empty()) return;
    has_head_ = true;
    const bool is_further = !live.steps.empty() && (live.belongs_above == no_index ||
                                                    live.steps.back() > live.belongs_above);
    if (is_further) last_told_ = timeline_.event_of(timeline_.steps[live.steps.back()]).id;
    if (plan_.format == ReplayFormat::text) {
        write_text_live(timeline_, view_, live, out);
    } else {
        write_jsonl_live(timeline_, view_, live, out);
    }
    out.flush();
}

Status FollowedStory::follow(ReplayOutput& output) {
    if (Status added = add_session(arguments_.session_id); !added) return added;
    auto next_look = std::chrono::steady_clock::now();
    bool has_news = false;
    bool has_said_waiting = false;
    while (!is_stopping.load(std::memory_order_relaxed) && !output.is_abandoned()) {
        const Result<bool> gathered = gather();
        if (!gathered) return tl::unexpected(gathered.error());
        has_news |= *gathered;
        const auto now = std::chrono::steady_clock::now();
        if (stored_.empty() && !has_said_waiting) {
            std::fprintf(
                stderr,
                "spangate replay: nothing of session %s yet; waiting\n",
                arguments_.session_id.c_str()
            );
            has_said_waiting = true;
        }
        const bool is_due = has_news ? now >= next_look : now >= next_look + look_interval;
        if (!is_due || stored_.empty()) continue;
        if (Status made = put_together(); !made) return made;
        tell_news(output.stream());
        has_news = false;
        const auto done = std::chrono::steady_clock::now();
        next_look = done + 2 * (done - now);
    }
    if (plan_.format == ReplayFormat::text && is_made_) {
        output.stream() << '\n';
        write_text_end(timeline_, view_, output.stream());
    }
    return output.finish();
}

}  // namespace

ExitCode follow_replay(
    const ReadingPlace& place, const ReplayArguments& arguments, const ReplayPlan& plan
) {
    constexpr const char* command = "replay";
    std::signal(SIGINT, stop);
    std::signal(SIGTERM, stop);
    Result<std::unique_ptr<ReplayOutput>> output = ReplayOutput::open({});
    if (!output) return reading_failure(command, output.error());
    FollowedStory story(place, arguments, plan);
    if (const Status followed = story.follow(**output); !followed) {
        return reading_failure(command, followed.error());
    }
    if (story.timeline() == nullptr) return ExitCode::not_found;
    return verdict_of(*story.timeline());
}

}  // namespace spangate
