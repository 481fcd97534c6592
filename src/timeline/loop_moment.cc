#include "timeline/loop_moment.h"

#include <algorithm>

#include "timeline/loop_words.h"

namespace spangate {

bool raise_alarm(LoopState& state, const LoopSign& sign) {
    LoopAlarm* place = nullptr;
    for (LoopAlarm& alarm : state.alarms) {
        if (alarm.signal == static_cast<std::uint8_t>(sign.signal) && alarm.key == sign.key) {
            place = &alarm;
            break;
        }
    }
    if (place == nullptr) {
        place = &*std::min_element(
            state.alarms.begin(),
            state.alarms.end(),
            [](const LoopAlarm& a, const LoopAlarm& b) {
                return (a.signal == 0 ? 0 : a.used) < (b.signal == 0 ? 0 : b.used);
            }
        );
        *place = LoopAlarm{};
        place->signal = static_cast<std::uint8_t>(sign.signal);
        place->key = sign.key;
        place->first = sign.first;
        place->severity = sign.severity;
    }
    place->used = std::max(state.events, 1U);
    place->count = sign.count;
    const bool is_due = place->told_count == 0 || sign.severity > place->severity ||
                        sign.count / 2 >= place->told_count;
    place->severity = std::max(place->severity, sign.severity);
    if (is_due) place->told_count = std::max(sign.count, 1U);
    return is_due;
}

bool raise_alarm(LoopMoment& moment, const LoopSign& sign) {
    if (raise_alarm(moment.state, sign)) return true;
    const LoopAlarm* alarm = find_alarm(moment.state, sign.signal, sign.key);
    if (moment.grown != nullptr && alarm != nullptr)
        moment.grown->push_back({sign.signal, alarm->first, moment.event.id, sign.count});
    return false;
}

void clear_alarm(LoopState& state, LoopSignal signal, std::uint16_t key) {
    for (LoopAlarm& alarm : state.alarms) {
        if (alarm.signal == static_cast<std::uint8_t>(signal) && alarm.key == key)
            alarm = LoopAlarm{};
    }
}

const LoopAlarm* find_alarm(const LoopState& state, LoopSignal signal, std::uint16_t key) {
    for (const LoopAlarm& alarm : state.alarms) {
        if (alarm.signal == static_cast<std::uint8_t>(signal) && alarm.key == key) return &alarm;
    }
    return nullptr;
}

void tell(LoopMoment& moment, const LoopSign& sign, std::string text) {
    const LoopAlarm* alarm = find_alarm(moment.state, sign.signal, sign.key);
    LoopTelling telling;
    telling.signal = sign.signal;
    telling.severity = sign.severity;
    telling.first_event_id = alarm != nullptr ? alarm->first : sign.first;
    telling.last_event_id = moment.event.id;
    telling.at = end_of(moment.event);
    telling.repeats = sign.count;
    telling.cost_so_far_usd = moment.state.cost_usd;
    telling.projected_usd = sign.projected_usd;
    telling.text = std::move(text);
    moment.told.push_back(std::move(telling));
}

WallNanos end_of(const StoryEvent& event) {
    return event.end_at != 0 ? event.end_at : event.timestamp;
}

WallNanos start_of(const StoryEvent& event) {
    if (event.start_at != 0) return event.start_at;
    const WallNanos end = end_of(event);
    if (!is_told(event.duration_ms) || event.duration_ms <= 0) return end;
    return end - static_cast<WallNanos>(std::min(event.duration_ms, 1e9) * 1e6);
}

std::uint32_t span_hash(const StoryEvent& event) {
    return loop_hash({reinterpret_cast<const char*>(event.span_id.data()), event.span_id.size()});
}

bool is_failure(const StoryEvent& event) {
    switch (event.outcome) {
        case EventOutcome::error:
        case EventOutcome::blocked:
        case EventOutcome::rejected:
        case EventOutcome::timeout:
        case EventOutcome::invalid:
            return true;
        case EventOutcome::none:
        case EventOutcome::ok:
        case EventOutcome::cancelled:
            return false;
    }
    return false;
}

LoopLane& lane_of(LoopMoment& moment) {
    const StoryEvent& event = moment.event;
    const TextId agent = event.agent_name != no_text ? event.agent_name : event.agent_id;
    std::uint16_t name = agent == no_text ? unnamed_lane : loop_short_hash(moment.text(agent));
    // Some clients tell a call by a span and by a log record: two tellings are no repeat.
    if (event.source == EventSource::log) name = static_cast<std::uint16_t>(~name | 2U);
    LoopLane* oldest = &moment.state.lanes[0];
    for (LoopLane& lane : moment.state.lanes) {
        if (lane.name == name) {
            lane.used = moment.state.events;
            return lane;
        }
        if (lane.used < oldest->used) oldest = &lane;
    }
    *oldest = LoopLane{};
    oldest->name = name;
    oldest->used = moment.state.events;
    oldest->thoughts_before = moment.state.thoughts;
    oldest->cost_before = static_cast<float>(moment.state.cost_usd);
    oldest->session_idle_ms = moment.state.idle_ms;
    return *oldest;
}

}  // namespace spangate
