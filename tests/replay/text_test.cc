#include <algorithm>

#include <catch2/catch.hpp>

#include "replay/display_width.h"
#include "replay/view_context.h"

namespace spangate {
namespace {

std::size_t widest_line(const std::string& text) {
    std::istringstream lines(text);
    std::size_t widest = 0;
    for (std::string line; std::getline(lines, line);)
        widest = std::max(widest, display_width(line));
    return widest;
}

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

}  // namespace

TEST_CASE("The payment story as text is the stored one") {
    Timeline timeline = payment_story();
    ReplayView view;
    CHECK(written(write_text, timeline, view) == golden("payment_100.txt"));
    view.columns = 60;
    CHECK(written(write_text, timeline, view) == golden("payment_60.txt"));
}

TEST_CASE("One step as text is the stored one") {
    Timeline timeline = payment_story();
    ReplayView view;
    view.first_step = view.last_step = 5;
    view.shows_whole = true;
    CHECK(written(write_text, timeline, view) == golden("payment_step_5.txt"));
}

TEST_CASE("No line of text is wider than asked for") {
    for (const std::uint32_t columns : {60U, 72U, 80U, 100U, 200U}) {
        Timeline timeline = payment_story();
        ReplayView view;
        view.columns = columns;
        CHECK(widest_line(written(write_text, timeline, view)) <= columns);
    }
    Timeline wide = [] {
        TimelineForTest story;
        story.tool("審査担当エージェント", "支払い.状態を取得する非常に長い名前のツール");
        story.decision("é́é́é́", "👍🏽 go", {"👍🏽 go", "stop"});
        return story.finish();
    }();
    const ReplayView view;
    CHECK(widest_line(written(write_text, wide, view)) <= 100);
}

TEST_CASE("Steps of a loop are folded, unless each is asked for") {
    Timeline timeline = payment_story();
    ReplayView view;
    const std::string folded = written(write_text, timeline, view);
    CHECK(count_of(folded, "stripe_api.get_status") == 3);  // the first one and the findings
    CHECK(folded.find("6 steps folded (5–10): 6.6s $0.42, no state change") != std::string::npos);
    CHECK(folded.find("stopped by step 11: budget gate: stop") != std::string::npos);
    view.folds_loops = false;
    CHECK(written(write_text, timeline, view).find("folded") == std::string::npos);
}

TEST_CASE("Colours come only where they are wanted, and never alone") {
    Timeline timeline = payment_story();
    ReplayView view;
    view.has_colours = true;
    std::string coloured = written(write_text, timeline, view);
    CHECK(count_of(coloured, "\x1b[") > 20);
    for (std::size_t at = coloured.find('\x1b'); at != std::string::npos;
         at = coloured.find('\x1b')) {
        coloured.erase(at, coloured.find('m', at) - at + 1);
    }
    view.has_colours = false;
    CHECK(coloured == written(write_text, timeline, view));
}

TEST_CASE("Hostile text is inert in the text view") {
    Timeline timeline = hostile_story();
    ReplayView view;
    view.lists_content = true;
    CHECK_FALSE(steers_terminal(written(write_text, timeline, view)));
    CHECK(widest_line(written(write_text, timeline, view)) <= 200);
    view.shows_whole = true;
    CHECK_FALSE(steers_terminal(written(write_text, timeline, view)));
}

TEST_CASE("Findings stand at their place, in the list, and alone when only they are asked for") {
    TimelineForTest story;
    story.tool("planner", "a");
    story.tool("planner", "b");
    story.finding(FindingKind::gap, Severity::critical, 1, "1 event is missing");
    story.finding(FindingKind::damaged, Severity::warning, no_index, "2 records are damaged");
    Timeline timeline = story.finish();
    ReplayView view;
    const std::string text = written(write_text, timeline, view);
    CHECK(text.find("      ! gap: 1 event is missing") != std::string::npos);
    CHECK(text.find("  critical  gap               step 2: 1 event") != std::string::npos);
    CHECK(text.find("  warning   damaged           2 records are damaged") != std::string::npos);
    view.findings_only = true;
    const std::string findings = written(write_text, timeline, view);
    CHECK(findings.find("+time") == std::string::npos);
    CHECK(findings.find("critical  gap") != std::string::npos);
}

TEST_CASE("An empty session is told as such") {
    Timeline timeline = TimelineForTest("nothing").finish();
    const ReplayView view;
    CHECK(written(write_text, timeline, view).find("No steps.") != std::string::npos);
}

TEST_CASE("A story that goes on is told in pieces, and what comes late is marked") {
    Timeline timeline = payment_story();
    const ReplayView view;
    LiveSteps live;
    live.has_head = true;
    live.steps = {1, 2};
    std::ostringstream out;
    write_text_live(timeline, view, live, out);
    CHECK(out.str().find("+time") != std::string::npos);
    CHECK(out.str().find("↑") == std::string::npos);
    live.has_head = false;
    live.belongs_above = 2;
    live.steps = {0, 3};
    live.findings = {0};
    out.str({});
    write_text_live(timeline, view, live, out);
    CHECK(count_of(out.str(), "↑") == 1);
    CHECK(out.str().find("+time") == std::string::npos);
    CHECK(count_of(out.str(), "! loop L1") == 1);
}

}  // namespace spangate
