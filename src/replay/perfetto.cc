// The Chrome trace event format, which Perfetto and chrome://tracing open: an agent is a thread,
// steps are slices, handoffs are arrows, cost and tokens are counters. Times are microseconds since
// the session's begin.
#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/json_step.h"
#include "replay/json_stream.h"
#include "replay/replay.h"
#include "replay/step_view.h"

namespace spangate {
namespace {

constexpr std::int64_t process = 1;

// Slices of one thread must lie inside each other or apart. Steps of one agent that overlap
// otherwise go to further threads of the same agent.
class Tracks {
  public:
    explicit Tracks(std::size_t lanes_count) : lanes_(lanes_count) {}

    // Of a step that begins no earlier than those before; from 0.
    std::size_t place(std::uint32_t lane, WallNanos start_at, WallNanos end_at) {
        std::vector<std::vector<WallNanos>>& tracks = lanes_[lane];
        for (std::size_t i = 0; i < tracks.size(); ++i) {
            if (fits(tracks[i], start_at, end_at)) return i;
        }
        if (tracks.size() == tracks_max) return tracks_max - 1;
        tracks.push_back({end_at});
        return tracks.size() - 1;
    }

    static constexpr std::size_t tracks_max = 64;

  private:
    static bool fits(std::vector<WallNanos>& open, WallNanos start_at, WallNanos end_at) {
        while (!open.empty() && open.back() <= start_at)
            open.pop_back();
        if (!open.empty() && open.back() < end_at) return false;
        open.push_back(end_at);
        return true;
    }

    std::vector<std::vector<std::vector<WallNanos>>> lanes_;  // ends of the slices still open
};

struct Slice {
    std::uint32_t step = 0;
    std::size_t track = 0;
    WallNanos start_at = 0;
    WallNanos end_at = 0;
};

class TraceWriter {
  public:
    TraceWriter(Timeline& timeline, const ReplayView& view, std::ostream& out)
        : timeline_(timeline),
          view_(view),
          views_(timeline, view),
          json_(out) {}

    void write();

  private:
    void place_slices();
    void write_names();
    void write_name(std::string_view what, std::int64_t thread, std::string_view name);
    void write_slice(const Slice& slice);
    void write_counters(const Step& step);
    void write_arrows();
    void write_arrow(char phase, std::size_t id, std::int64_t thread, WallNanos at);
    void write_time(std::string_view name, WallNanos duration);
    void begin(char phase, std::string_view name, std::int64_t thread);

    [[nodiscard]] static std::int64_t thread_of(std::uint32_t lane, std::size_t track) {
        return std::int64_t{lane} * static_cast<std::int64_t>(Tracks::tracks_max) +
               static_cast<std::int64_t>(track) + 1;
    }

    Timeline& timeline_;
    const ReplayView& view_;
    const StepViews views_;
    JsonStream json_;
    std::vector<Slice> slices_;
    std::vector<std::uint32_t> slice_of_;  // by step; no_index: not shown
    std::vector<std::size_t> tracks_count_;
};

void TraceWriter::place_slices() {
    for (const std::uint32_t index : views_.chosen()) {
        const Step& step = timeline_.steps[index];
        // Without width a slice cannot carry an arrow.
        constexpr WallNanos width_min = 1'000;
        slices_.push_back(
            {index, 0, step.start_at, std::max(step.end_at, step.start_at + width_min)}
        );
    }
    std::stable_sort(slices_.begin(), slices_.end(), [](const Slice& a, const Slice& b) {
        return a.start_at != b.start_at ? a.start_at < b.start_at : a.end_at > b.end_at;
    });
    slice_of_.assign(timeline_.steps.size(), no_index);
    tracks_count_.assign(timeline_.lanes.size(), 1);
    Tracks tracks(timeline_.lanes.size());
    for (std::uint32_t i = 0; i < slices_.size(); ++i) {
        Slice& slice = slices_[i];
        const std::uint32_t lane = timeline_.steps[slice.step].lane;
        slice.track = tracks.place(lane, slice.start_at, slice.end_at);
        tracks_count_[lane] = std::max(tracks_count_[lane], slice.track + 1);
        slice_of_[slice.step] = i;
    }
}

void TraceWriter::begin(char phase, std::string_view name, std::int64_t thread) {
    json_.new_line();
    json_.begin_object();
    json_.member("ph", std::string_view(&phase, 1));
    json_.member("name", name);
    json_.member_count("pid", process);
    json_.member_count("tid", thread);
}

void TraceWriter::write_time(std::string_view name, WallNanos duration) {
    json_.name(name);
    const bool is_negative = duration < 0;
    const std::int64_t nanos = is_negative ? -duration : duration;
    json_.raw(fmt::format("{}{}.{:03}", is_negative ? "-" : "", nanos / 1'000, nanos % 1'000));
}

void TraceWriter::write_name(std::string_view what, std::int64_t thread, std::string_view name) {
    begin('M', what, thread);
    json_.name("args");
    json_.begin_object();
    json_.member("name", name.empty() ? "-" : name);
    json_.end_object();
    json_.end_object();
}

void TraceWriter::write_names() {
    write_name("process_name", 0, "session " + timeline_.session_id);
    for (std::uint32_t lane = 0; lane < timeline_.lanes.size(); ++lane) {
        for (std::size_t track = 0; track < tracks_count_[lane]; ++track) {
            std::string name(views_.agent(timeline_.lanes[lane]));
            if (track > 0) name += fmt::format(" ({})", track + 1);
            write_name("thread_name", thread_of(lane, track), name);
        }
    }
}

void TraceWriter::write_slice(const Slice& slice) {
    const Step& step = timeline_.steps[slice.step];
    const StoryEvent& event = timeline_.event_of(step);
    begin('X', views_.what(step), thread_of(step.lane, slice.track));
    std::string category(name_of(step.kind));
    if (step.is_failed) category += ",failed";
    if (step.loop != no_index) category += ",loop";
    json_.member("cat", category);
    write_time("ts", slice.start_at - timeline_.totals.started_at);
    write_time("dur", slice.end_at - slice.start_at);
    json_.name("args");
    json_.begin_object();
    json_.member_count("step", std::int64_t{slice.step} + 1);
    json_.member("outcome", outcome_word(event.outcome));
    json_.member("error_class", timeline_.text(event.error_class));
    json_.member_count("tokens", step.tokens);
    json_.member_real("cost_usd", step.cost_usd);
    json_.member("state", timeline_.text(step.state_after));
    std::string flags;
    for (const std::string& flag : views_.flags(step))
        flags += (flags.empty() ? "" : ", ") + flag;
    json_.member("flags", flags);
    json_.member("event_id", to_hex(event.id));
    const StepContent content = views_.content(step);
    json_.member("input", content.input);
    json_.member("output", content.output);
    json_.member("error", content.error);
    json_.end_object();
    json_.end_object();
}

void TraceWriter::write_counters(const Step& step) {
    const auto write = [&](std::string_view name, std::string_view unit, double value) {
        begin('C', name, 0);
        write_time("ts", step.end_at - timeline_.totals.started_at);
        json_.name("args");
        json_.begin_object();
        json_.member_sum(unit, value);
        json_.end_object();
        json_.end_object();
    };
    if (is_told(step.cost_usd)) write("cost", "usd", step.cost_sum_usd);
    if (is_told(step.tokens)) write("tokens", "sum", static_cast<double>(step.tokens_sum));
    if (is_told(timeline_.event_of(step).budget_remaining)) {
        write("budget left", "left", step.budget_left);
    }
}

void TraceWriter::write_arrow(char phase, std::size_t id, std::int64_t thread, WallNanos at) {
    begin(phase, "handoff", thread);
    json_.member("cat", "handoff");
    json_.member_count("id", static_cast<std::int64_t>(id) + 1);
    if (phase == 'f') json_.member("bp", "e");
    write_time("ts", at - timeline_.totals.started_at);
    json_.end_object();
}

// From the slice that hands over to the first one of the receiving agent after it.
void TraceWriter::write_arrows() {
    std::vector<std::vector<std::uint32_t>> of_lane(timeline_.lanes.size());
    for (std::uint32_t i = 0; i < slices_.size(); ++i)
        of_lane[timeline_.steps[slices_[i].step].lane].push_back(i);
    for (std::size_t id = 0; id < timeline_.handoffs.size(); ++id) {
        const Handoff& handoff = timeline_.handoffs[id];
        if (handoff.to_lane == no_index || slice_of_[handoff.step] == no_index) continue;
        const Slice& from = slices_[slice_of_[handoff.step]];
        const auto& there = of_lane[handoff.to_lane];
        const auto to = std::lower_bound(
            there.begin(),
            there.end(),
            from.start_at,
            [this](std::uint32_t i, WallNanos at) { return slices_[i].start_at < at; }
        );
        if (to == there.end()) continue;
        const Slice& target = slices_[*to];
        const std::uint32_t from_lane = timeline_.steps[handoff.step].lane;
        write_arrow('s', id, thread_of(from_lane, from.track), from.start_at);
        write_arrow('f', id, thread_of(handoff.to_lane, target.track), target.start_at);
    }
}

void TraceWriter::write() {
    place_slices();
    json_.begin_object();
    json_.member("displayTimeUnit", "ms");
    json_.name("otherData");
    json_.begin_object();
    json_.member("tenant_id", timeline_.tenant_id);
    json_.member("session_id", timeline_.session_id);
    json_.member("started_at", to_rfc3339(timeline_.totals.started_at));
    json_.member("command", view_.command);
    json_.end_object();
    json_.name("traceEvents");
    json_.begin_array();
    write_names();
    for (const Slice& slice : slices_)
        write_slice(slice);
    for (const std::uint32_t index : views_.chosen())
        write_counters(timeline_.steps[index]);
    write_arrows();
    json_.end_array();
    json_.end_object();
}

}  // namespace

void write_perfetto(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    TraceWriter(timeline, view, out).write();
    out << '\n';
}

}  // namespace spangate
