#include "timeline/timeline_builder.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "timeline/draft.h"
#include "timeline/record_json.h"
#include "timeline/story_reader.h"

namespace spangate {

struct TimelineBuilder::State {
    explicit State(TimelineSettings given) : settings(std::move(given)) {
        accepted.insert(settings.session_id);
        for (const EventClass event_class : settings.readable) {
            if (event_class == EventClass::evidence) evidence.emplace(nullptr, settings.tenant_id);
        }
    }

    TimelineSettings settings;
    std::set<std::string, std::less<>> accepted;
    std::set<std::string, std::less<>> named;  // by aliases
    StoryReader reader;
    StoryEvent read_event;
    EventLedger ledger;
    std::optional<EvidenceCheck> evidence;
    TextPool texts;
    DetailStore details;
    std::string json;  // of a detail record that came as protobuf

    [[nodiscard]] TextId main_tenant() const;
    [[nodiscard]] Timeline assemble();
};

TimelineBuilder::TimelineBuilder(TimelineSettings settings)
    : state_(std::make_unique<State>(std::move(settings))) {}

TimelineBuilder::~TimelineBuilder() = default;

void TimelineBuilder::add(const StoredEvent& stored) {
    State& state = *state_;
    if (!state.reader.read(stored, state.texts, state.read_event)) {
        state.ledger.add_damage({stored.event_class, stored.partition, stored.offset});
        return;
    }
    const StoryEvent& event = state.read_event;
    if (!state.accepted.contains(state.texts[event.session_id])) return;
    const bool is_of_tenant = state.settings.tenant_id.empty() ||
                              state.texts[event.tenant_id] == state.settings.tenant_id;
    if (!is_of_tenant) return;
    if (event.type == EventType::session_alias && event.alias_session_id != no_text) {
        state.named.emplace(state.texts[event.alias_session_id]);
    }
    DetailNo detail = no_detail;
    const bool is_kept = state.settings.keeps_details && stored.event_class == EventClass::detail;
    if (is_kept && stored.is_json) {
        detail = state.details.add(stored.value);
    } else if (is_kept && record_as_json(stored.value, state.json)) {
        detail = state.details.add(state.json);
    }
    state.ledger.add(event, state.reader.marks(), detail);
    if (state.evidence) state.evidence->add(stored);
}

std::vector<std::string> TimelineBuilder::wanted_sessions() const {
    std::vector<std::string> wanted;
    std::set_difference(
        state_->named.begin(),
        state_->named.end(),
        state_->accepted.begin(),
        state_->accepted.end(),
        std::back_inserter(wanted)
    );
    return wanted;
}

void TimelineBuilder::accept_session(const std::string& session_id) {
    state_->accepted.insert(session_id);
}

// The one with the most events; of equals the first by name.
TextId TimelineBuilder::State::main_tenant() const {
    std::map<std::string_view, std::pair<std::uint32_t, TextId>> counts;
    for (std::uint32_t i = 0; i < ledger.size(); ++i) {
        auto& [count, id] = counts[texts[ledger.event(i).tenant_id]];
        ++count;
        id = ledger.event(i).tenant_id;
    }
    std::uint32_t most = 0;
    TextId tenant = no_text;
    for (const auto& [name, facts] : counts) {
        if (facts.first <= most) continue;
        most = facts.first;
        tenant = facts.second;
    }
    return tenant;
}

Timeline TimelineBuilder::State::assemble() {
    const TextId tenant = main_tenant();
    ledger.keep_tenant(tenant);
    SpanTree spans(ledger);
    std::vector<std::uint32_t> order = story_order(ledger, spans);
    spans.renumber_events(order);
    Draft draft{settings, ledger, std::move(spans), nullptr, settings.now, {}, {}, {}};
    Timeline& timeline = draft.timeline;
    timeline.tenant_id = texts[tenant];
    timeline.session_id = settings.session_id;
    for (const std::string& session : accepted) {
        if (session != settings.session_id) timeline.aliases.push_back(session);
    }
    timeline.texts = std::move(texts);
    timeline.details = std::move(details);
    timeline.events = ledger.take_events(std::move(order));
    if (draft.now == 0) {
        for (const StoryEvent& event : timeline.events)
            draft.now = std::max({draft.now, event.timestamp, event.end_at});
    }
    for (const EventClass event_class : settings.readable)
        timeline.completeness.classes[static_cast<std::size_t>(event_class)].is_readable = true;
    std::optional<EvidenceReport> report;
    if (evidence) draft.evidence = &report.emplace(evidence->finish(nullptr));
    make_steps(draft);
    measure_steps(draft);
    check_numbers(draft);
    check_copies(draft);
    check_story(draft);
    find_loops(draft);
    sort_findings(timeline);
    return std::move(draft.timeline);
}

void TimelineBuilder::set_readable(std::vector<EventClass> classes) {
    const bool has_evidence =
        std::find(classes.begin(), classes.end(), EventClass::evidence) != classes.end();
    if (!has_evidence) state_->evidence.reset();
    state_->settings.readable = std::move(classes);
}

Timeline TimelineBuilder::finish() {
    return state_->assemble();
}

}  // namespace spangate
