#include "replay/step_view.h"

#include <catch2/catch.hpp>

#include "support/timeline_for_test.h"

namespace spangate {
namespace {

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("Each step of the payment story is told in words") {
    Timeline timeline = payment_story();
    const ReplayView view;
    const StepViews views(timeline, view);
    Words told;
    for (const Step& step : timeline.steps)
        told.push_back(std::string(1, views.letter(step)) + " " + views.what(step));
    CHECK(
        told ==
        Words{
            "I gpt-4.1 1,800→600 tokens",
            "D decides → validator (of 3)",
            "H planner → validator",
            "T stripe_api.get_status → 200",
            "R stripe_api.get_status retry 1 of 13, same args, same result → 200",
            "R stripe_api.get_status retry 2 of 13, same args, same result → 200",
            "R stripe_api.get_status retry 3 of 13, same args, same result → 200",
            "R stripe_api.get_status retry 4 of 13, same args, same result → 200",
            "R stripe_api.get_status retry 5 of 13, same args, same result → 200",
            "R stripe_api.get_status retry 6 of 13, same args, same result → 200",
            "P budget gate: stop",
            "H validator → fallback",
            "P human approval: ask",
            "P human approval: allow",
            "T invoice.pay → ok",
            "X ends: goal reached",
        }
    );
    CHECK(
        views.options_not_taken(timeline.event_of(timeline.steps[1])) ==
        std::vector<std::string_view>{"refund", "ask"}
    );
    CHECK(views.flags(timeline.steps[3]) == Words{"LOOP L1"});
    CHECK(views.flags(timeline.steps[10]) == Words{"STOP budget gate"});
    CHECK(views.findings_at(3) == std::vector<std::uint32_t>{0});
}

TEST_CASE("A view without content, or without the right to it, says so") {
    TimelineForTest story;
    story.tool("planner", "a");
    story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":"in"}})");
    story.last_event().classes |= bit(EventClass::evidence);
    story.tool("planner", "b");
    Timeline timeline = story.finish();
    ReplayView view;
    const StepViews views(timeline, view);
    const StepContent told = views.content(timeline.steps[0]);
    CHECK(told.source == ContentSource::detail);
    CHECK(told.input == "in");
    CHECK(told.evidence == "restricted");
    CHECK(told.note.empty());
    CHECK(views.content(timeline.steps[1]).note == "not found");
    CHECK(views.content(timeline.steps[1]).evidence.empty());
    timeline.completeness.classes[1].is_readable = false;
    CHECK(views.content(timeline.steps[1]).note == "restricted");
    view.shows_content = false;
    CHECK(views.content(timeline.steps[0]).input.empty());
}

TEST_CASE("Evidence goes before detail, and says why it is not there") {
    TimelineForTest story;
    story.tool("planner", "a");
    story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":"masked"}})");
    story.last_event().classes |= bit(EventClass::evidence);
    Timeline timeline = story.finish();
    ReplayView view;
    const StepViews views(timeline, view);
    const EventKey id = timeline.events[0].id;
    view.evidence[id].why_not = "erased (key destroyed); commitment verifies";
    CHECK(views.content(timeline.steps[0]).input == "masked");
    CHECK(views.content(timeline.steps[0]).evidence.starts_with("erased"));
    view.evidence[id] = {
        R"([{"key":"k","role":"tool_args","media_type":"text/plain","content":"raw"}])", ""};
    const StepContent shown = views.content(timeline.steps[0]);
    CHECK(shown.source == ContentSource::evidence);
    CHECK(shown.input == "raw");
    CHECK(shown.evidence == "shown");
}

TEST_CASE("Steps are chosen by number, kind and text, and turned around") {
    Timeline timeline = payment_story();
    const auto chosen = [&timeline](const ReplayView& view) {
        return StepViews(timeline, view).chosen();
    };
    using Indexes = std::vector<std::uint32_t>;
    ReplayView view;
    view.first_step = 2;
    view.last_step = 4;
    CHECK(chosen(view) == Indexes{1, 2, 3});
    view.is_reversed = true;
    CHECK(chosen(view) == Indexes{3, 2, 1});
    view = {};
    view.only = {StepKind::retry};
    CHECK(chosen(view).size() == 6);
    view.only = {StepKind::state};
    CHECK(chosen(view) == Indexes{1, 14});
    view.only = {StepKind::cost};
    CHECK(chosen(view).size() == 8);
    view = {};
    view.grep = "AMBIGUOUS";  // in the content
    CHECK(chosen(view).size() == 7);
    view.grep = "human";
    CHECK(chosen(view) == Indexes{12, 13});
    view.first_step = 99;
    CHECK(chosen(view).empty());
}

}  // namespace spangate
