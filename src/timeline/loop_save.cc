#include "timeline/loop_save.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

namespace spangate {
namespace {

constexpr std::uint8_t saved_version = 1;

class Writer {
  public:
    static constexpr bool reads = false;

    template <typename T>
    void operator()(const T& value) {
        if constexpr (std::is_enum_v<T> || std::is_same_v<T, bool>) {
            put(static_cast<std::uint8_t>(value));
        } else if constexpr (std::is_same_v<T, float>) {
            put(std::bit_cast<std::uint32_t>(value));
        } else if constexpr (std::is_same_v<T, double>) {
            put(std::bit_cast<std::uint64_t>(value));
        } else {
            put(static_cast<std::make_unsigned_t<T>>(value));
        }
    }

    [[nodiscard]] std::string take() { return std::move(bytes_); }

  private:
    template <typename T>
    void put(T value) {
        for (std::size_t i = 0; i < sizeof(T); ++i)
            bytes_ += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
    }

    std::string bytes_;
};

class Reader {
  public:
    static constexpr bool reads = true;

    explicit Reader(std::string_view bytes) : bytes_(bytes) {}

    template <typename T>
    void operator()(T& value) {
        if constexpr (std::is_same_v<T, bool>) {
            value = take<std::uint8_t>() != 0;
        } else if constexpr (std::is_same_v<T, Severity>) {
            const auto told = take<std::uint8_t>();
            is_good_ = is_good_ && told < severity_names.size();
            value = static_cast<Severity>(told % severity_names.size());
        } else if constexpr (std::is_same_v<T, float>) {
            value = std::bit_cast<float>(take<std::uint32_t>());
            is_good_ = is_good_ && std::isfinite(value);
        } else if constexpr (std::is_same_v<T, double>) {
            value = std::bit_cast<double>(take<std::uint64_t>());
            is_good_ = is_good_ && std::isfinite(value);
        } else {
            value = static_cast<T>(take<std::make_unsigned_t<T>>());
        }
    }

    void refuse_unless(bool claim) { is_good_ = is_good_ && claim; }

    [[nodiscard]] bool is_done() const { return is_good_ && bytes_.empty(); }

    [[nodiscard]] bool is_good() const { return is_good_; }

  private:
    template <typename T>
    T take() {
        if (bytes_.size() < sizeof(T)) {
            is_good_ = false;
            bytes_ = {};
            return 0;
        }
        std::uint64_t value = 0;
        for (std::size_t i = 0; i < sizeof(T); ++i)
            value |= std::uint64_t{static_cast<std::uint8_t>(bytes_[i])} << (8 * i);
        bytes_.remove_prefix(sizeof(T));
        return static_cast<T>(value);
    }

    std::string_view bytes_;
    bool is_good_ = true;
};

// Each list of fields stands once, for both ways.
template <typename Archive, typename... Fields>
void each(Archive& archive, Fields&... fields) {
    (archive(fields), ...);
}

template <typename Archive, typename Key>
void id_fields(Archive& archive, Key& id) {
    for (auto& byte : id)
        archive(byte);
}

template <typename Archive, typename Step>
void step_fields(Archive& archive, Step& step) {
    each(
        archive,
        step.call,
        step.result,
        step.shape,
        step.tool,
        step.failure,
        step.lane,
        step.pause,
        step.thoughts,
        step.cost,
        step.marks
    );
}

template <typename Archive, typename Lane>
void lane_fields(Archive& archive, Lane& lane) {
    each(
        archive,
        lane.name,
        lane.frozen,
        lane.waiting,
        lane.returns,
        lane.used,
        lane.state,
        lane.poll_call,
        lane.polls,
        lane.changed_polls,
        lane.retry_call,
        lane.retry_count,
        lane.rises,
        lane.retry_result,
        lane.model,
        lane.prompt_tokens,
        lane.growths,
        lane.own_thoughts,
        lane.thoughts_before,
        lane.cost_before,
        lane.polls_cost_before,
        lane.idle_ms,
        lane.session_idle_ms,
        lane.budget,
        lane.pace_busy_s,
        lane.pace_left,
        lane.pace_next_busy_s,
        lane.pace_next_left,
        lane.has_budget,
        lane.has_news,
        lane.has_new_state,
        lane.has_thought,
        lane.has_turn,
        lane.round_end,
        lane.active_until,
        lane.polls_since,
        lane.budget_at
    );
}

template <typename Archive, typename Request>
void request_fields(Archive& archive, Request& request) {
    each(
        archive,
        request.span,
        request.call_id,
        request.call,
        request.tool,
        request.shape,
        request.at
    );
}

template <typename Archive, typename Alarm>
void alarm_fields(Archive& archive, Alarm& alarm) {
    each(
        archive, alarm.signal, alarm.severity, alarm.key, alarm.count, alarm.told_count, alarm.used
    );
    id_fields(archive, alarm.first);
}

template <typename Archive, typename State>
void scalar_fields(Archive& archive, State& state) {
    each(
        archive,
        state.steps_count,
        state.events,
        state.seen_count,
        state.states_count,
        state.thoughts,
        state.last_turn,
        state.last_trace,
        state.handed_span,
        state.holder,
        state.handed_events,
        state.state_lane,
        state.path_size,
        state.spend_size,
        state.has_granted,
        state.has_turn_mark,
        state.cost_usd,
        state.spend_every_s,
        state.busy_s,
        state.usd_per_minute,
        state.budget_max,
        state.idle_ms,
        state.costs_count,
        state.last_at,
        state.acted_until,
        state.rate_at
    );
    id_fields(archive, state.last_id);
}

// Only the rows in use are written: most sessions are short.
template <typename Archive, typename Rows, typename IsUsed, typename Fields>
void used_rows(Archive& archive, Rows& rows, IsUsed is_used, Fields fields) {
    std::uint8_t count = 0;
    if constexpr (!Archive::reads) {
        for (const auto& row : rows)
            count = static_cast<std::uint8_t>(count + (is_used(row) ? 1 : 0));
    }
    archive(count);
    if constexpr (Archive::reads) {
        archive.refuse_unless(count <= rows.size());
        for (std::size_t i = 0; archive.is_good() && i < count; ++i)
            fields(archive, rows[i]);
    } else {
        for (auto& row : rows) {
            if (is_used(row)) fields(archive, row);
        }
    }
}

template <typename Archive, typename State>
void all_fields(Archive& archive, State& state) {
    scalar_fields(archive, state);
    const auto in_use = [](std::uint64_t count, std::size_t most) {
        return static_cast<std::size_t>(std::min<std::uint64_t>(count, most));
    };
    for (std::size_t i = 0; i < in_use(state.steps_count, loop_steps_count); ++i)
        step_fields(archive, state.steps[i]);
    for (std::size_t i = 0; i < in_use(state.steps_count, loop_ids_count); ++i)
        id_fields(archive, state.ids[i]);
    for (std::size_t i = 0; i < in_use(state.seen_count, loop_seen_count); ++i)
        archive(state.seen[i]);
    for (std::size_t i = 0; i < in_use(state.states_count, loop_states_count); ++i)
        archive(state.states[i]);
    for (std::size_t i = 0; i < in_use(state.path_size, loop_path_count); ++i)
        archive(state.path[i]);
    for (std::size_t i = 0; i < in_use(state.spend_size, loop_marks_count); ++i)
        each(archive, state.spend[i].busy_s, state.spend[i].cost_usd);
    used_rows(
        archive,
        state.lanes,
        [](const LoopLane& lane) { return lane.name != 0; },
        [](auto& to, auto& lane) { lane_fields(to, lane); }
    );
    used_rows(
        archive,
        state.requests,
        [](const LoopRequest& request) { return request.at != 0; },
        [](auto& to, auto& request) { request_fields(to, request); }
    );
    used_rows(
        archive,
        state.alarms,
        [](const LoopAlarm& alarm) { return alarm.signal != 0; },
        [](auto& to, auto& alarm) { alarm_fields(to, alarm); }
    );
}

bool is_sound(const LoopState& state) {
    if (state.path_size > loop_path_count || state.spend_size > loop_marks_count) return false;
    return std::all_of(state.alarms.begin(), state.alarms.end(), [](const LoopAlarm& alarm) {
        return alarm.signal < loop_signal_names.size();
    });
}

}  // namespace

std::string saved_loops(const LoopState& state) {
    Writer writer;
    writer(saved_version);
    all_fields(writer, state);
    return writer.take();
}

Status read_loops(std::string_view saved, LoopState& state) {
    Reader reader(saved);
    std::uint8_t version = 0;
    reader(version);
    if (version != saved_version)
        return fail(ErrorCode::unsupported, "read a saved loop state: of another version");
    state = LoopState{};
    all_fields(reader, state);
    if (!reader.is_done() || !is_sound(state))
        return fail(ErrorCode::invalid_argument, "read a saved loop state: damaged");
    return {};
}

}  // namespace spangate
