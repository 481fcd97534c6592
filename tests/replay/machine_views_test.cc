// The views for programs: JSON, JSON Lines, Perfetto and OTLP.
#include <map>
#include <set>

#include <catch2/catch.hpp>
#include <simdjson.h>

#include "replay/view_context.h"

namespace spangate {
namespace {

using simdjson::dom::array;
using simdjson::dom::element;
using simdjson::dom::parser;

std::string text_of(const element& value) {
    return std::string(std::string_view(value));
}

struct Slice {
    double start_us = 0;
    double end_us = 0;
};

}  // namespace

TEST_CASE("The payment story as JSON is the stored one") {
    Timeline timeline = payment_story();
    const ReplayView view;
    CHECK(written(write_json, timeline, view) == golden("payment.json"));
}

TEST_CASE("JSON numbers steps from one and names loop, stop and content") {
    Timeline timeline = payment_story();
    const ReplayView view;
    const std::string json = written(write_json, timeline, view);
    parser reader;
    const element story = reader.parse(json);
    CHECK(std::int64_t(story["format_version"]) == 1);
    CHECK(array(story["steps"]).size() == 16);
    CHECK(std::int64_t(story["loops"].at(0)["stop_step"]) == 11);
    CHECK(text_of(story["steps"].at(10)["what"]) == "budget gate: stop");
    CHECK(text_of(story["steps"].at(3)["content"]["output"]) == R"({"status":"ambiguous"})");
    CHECK(text_of(story["worst"]) == "critical");
}

TEST_CASE("JSON Lines are the steps of the JSON, one a line") {
    Timeline timeline = payment_story();
    ReplayView view;
    view.only = {StepKind::policy, StepKind::handoff};
    const std::string lines = written(write_jsonl, timeline, view);
    std::istringstream in(lines);
    std::vector<std::int64_t> numbers;
    parser reader;
    for (std::string line; std::getline(in, line);)
        numbers.push_back(reader.parse(line)["step"]);
    CHECK(numbers == std::vector<std::int64_t>{3, 11, 12, 13, 14});
}

TEST_CASE("Hostile text comes back whole from JSON, and steers no terminal on the way") {
    for (const WriteView write : {write_json, write_jsonl, write_perfetto, write_otlp}) {
        Timeline timeline = hostile_story();
        const ReplayView view;
        const std::string json = written(write, timeline, view);
        CHECK_FALSE(steers_terminal(json));
        std::istringstream lines(json);
        parser reader;
        if (write != write_jsonl) {
            CHECK(reader.parse(json).error() == simdjson::SUCCESS);
            continue;
        }
        std::size_t count = 0;
        for (std::string line; std::getline(lines, line); ++count)
            CHECK(reader.parse(line).error() == simdjson::SUCCESS);
        CHECK(count == timeline.steps.size());
    }
    Timeline timeline = hostile_story();
    const ReplayView view;
    parser reader;
    const std::string json = written(write_json, timeline, view);
    const std::string output = text_of(reader.parse(json)["steps"].at(1)["content"]["output"]);
    CHECK(output == std::string(1 << 20U, 'x'));
}

TEST_CASE("A Perfetto trace has threads, nested slices, arrows between them, and counters") {
    TimelineForTest story;
    story.tool("planner", "a");
    story.wait(-0.5);
    story.tool("planner", "overlaps");  // neither inside nor behind
    story.handoff("planner", "worker");
    story.inference("worker", "gpt", 0.5, 100);
    Timeline timeline = story.finish();
    const ReplayView view;
    parser reader;
    const std::string json = written(write_perfetto, timeline, view);
    const element trace = reader.parse(json);
    std::map<std::int64_t, std::vector<Slice>> threads;
    std::map<std::string, int> phases;
    std::map<std::string, std::int64_t> arrow_threads;
    for (const element event : array(trace["traceEvents"])) {
        const std::string phase = text_of(event["ph"]);
        ++phases[phase];
        CHECK(std::int64_t(event["pid"]) == 1);
        if (phase == "M") continue;
        const double start_us = event["ts"];
        if (phase == "s" || phase == "f") arrow_threads[phase] = event["tid"];
        if (phase != "X") continue;
        const double duration_us = event["dur"];
        CHECK(duration_us > 0);
        const Slice slice{start_us, start_us + duration_us};
        for (const Slice& other : threads[event["tid"]]) {
            const bool is_apart = slice.start_us >= other.end_us || other.start_us >= slice.end_us;
            const bool is_inside = slice.start_us >= other.start_us && slice.end_us <= other.end_us;
            CHECK((is_apart || is_inside));
        }
        threads[event["tid"]].push_back(slice);
    }
    CHECK(phases["X"] == 4);
    CHECK(phases["M"] == 4);  // the process, two threads of the planner, one of the worker
    CHECK(phases["s"] == 1);
    CHECK(phases["f"] == 1);
    CHECK(arrow_threads["s"] != arrow_threads["f"]);
    CHECK(phases["C"] == 2);  // cost and tokens, where they change
    CHECK(threads.size() == 3);
}

TEST_CASE("An OTLP body has a span a step, with the ids it came with") {
    Timeline timeline = payment_story();
    const ReplayView view;
    parser reader;
    const std::string json = written(write_otlp, timeline, view);
    const element spans = reader.parse(json)["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"];
    CHECK(array(spans).size() == 16);
    std::set<std::string> ids;
    for (const element span : array(spans)) {
        CHECK(text_of(span["traceId"]) == "00000000000000000000000000000001");
        CHECK(text_of(span["spanId"]).size() == 16);
        ids.insert(text_of(span["spanId"]));
        CHECK(text_of(span["startTimeUnixNano"]).size() == 19);
        CHECK(span["kind"].is_int64());
    }
    CHECK(ids.size() == 16);
    CHECK(text_of(spans.at(3)["spanId"]) == "0100000000000004");
}

TEST_CASE("Steps without ids, or of one span, get ids of their own in OTLP") {
    TimelineForTest story;
    story.tool("planner", "a");
    story.policy("planner", "allow", "gate");
    story.last_event().span_id = story.made().events[0].span_id;
    story.policy("planner", "flag", "gate");
    story.last_event().span_id = {};
    story.last_event().trace_id = {};
    Timeline timeline = story.finish();
    const ReplayView view;
    parser reader;
    const std::string json = written(write_otlp, timeline, view);
    const element spans = reader.parse(json)["resourceSpans"].at(0)["scopeSpans"].at(0)["spans"];
    CHECK(text_of(spans.at(0)["spanId"]) == "0100000000000001");
    CHECK(text_of(spans.at(1)["spanId"]) != "0100000000000001");
    CHECK(text_of(spans.at(1)["parentSpanId"]) == "0100000000000001");
    CHECK(text_of(spans.at(2)["traceId"]) == "e5000000000000000000000000000003");
    CHECK(text_of(spans.at(2)["spanId"]) != "0000000000000000");
}

}  // namespace spangate
