// Sessions for tests of what shows them: a busy one of any length, and one whose every text is
// hostile.
#pragma once

#include <string>

#include <fmt/format.h>

#include "support/timeline_for_test.h"

namespace spangate {

namespace made_session {

inline constexpr std::array<const char*, 5> agents = {
    "planner", "researcher", "validator", "writer", "fallback"};
inline constexpr std::array<const char*, 6> tools = {
    "web.search",
    "stripe_api.get_status",
    "files.read",
    "sql.query",
    "mail.send",
    "calendar.find_slot"};

inline std::string digest(std::uint64_t number) {
    return fmt::format("e2ee01:{:016x}{:016x}", number * 0x9e3779b97f4a7c15U, number * 0xbf58476dU);
}

// What a real one has on each step: times, digests, usage, state, content.
inline void add_step(TimelineForTest& story, std::uint32_t i) {
    const char* agent = agents[i / 37 % agents.size()];
    switch (i % 9) {
        case 0:
            story.decision(agent, "search", {"search", "answer", "hand over"});
            break;
        case 1:
        case 4:
        case 6: {
            story.inference(
                agent,
                i % 2 == 0 ? "gpt-4.1" : "claude-sonnet-5",
                0.0021 * (i % 7 + 1),
                900 + i % 4000
            );
            story.last_event().response_id = story.text(fmt::format("resp_{:012x}", i));
            story.last_event().ttft_ms = 210.5 + i % 90;
            story.detail(fmt::format(
                R"({{"attributes":{{"gen_ai.input.messages":"[{{\"role\":\"user\",\"content\":\"Question {} about the quarterly numbers, with a few more words\"}}]","gen_ai.output.messages":"[{{\"role\":\"assistant\",\"content\":\"Answer {}: it depends on the region and on the season.\"}}]"}}}})",
                i,
                i
            ));
            break;
        }
        case 8:
            story.handoff(agent, agents[(i / 37 + 1) % agents.size()]);
            break;
        default: {
            const bool fails = i % 71 == 2;
            Step& step = story.tool(
                agent, tools[i / 9 % tools.size()], fails ? EventOutcome::timeout : EventOutcome::ok
            );
            step.cost_usd = 0.0005;
            if (fails) step.error_class = story.text("TimeoutError");
            story.last_event().args_digest = story.text(digest(i));
            story.last_event().result_digest = story.text(digest(i + 500'000));
            story.last_event().tool_call_id = story.text(fmt::format("call_{:08x}", i));
            story.detail(fmt::format(
                R"({{"attributes":{{"gen_ai.tool.call.arguments":{{"query":"quarter {} revenue","limit":{}}},"gen_ai.tool.call.result":{{"rows":{},"status":"ok"}}}}}})",
                i,
                i % 50,
                i % 13
            ));
        }
    }
    if (i % 5 == 0) story.state(fmt::format("{:016x}", i * 0x2545f4914f6cdd1dU));
    story.last_event().budget_remaining = 500.0 - 0.004 * i;
    if (i % 300 == 299) story.wait(90);
}

}  // namespace made_session

inline Timeline busy_session(std::uint32_t steps) {
    TimelineForTest story(fmt::format("sess_busy_{}", steps));
    for (std::uint32_t i = 0; i < steps; ++i) {
        made_session::add_step(story, i);
    }
    for (std::uint32_t first = 400; first + 12 < steps; first += 2'000) {
        story.loop(first, first + 11, LoopSignal::no_progress_repeat, 12).stop_step = first + 12;
        story
            .finding(
                FindingKind::loop,
                Severity::critical,
                first,
                "the same call with the same result, 12 times"
            )
            .signal = LoopSignal::no_progress_repeat;
        story.made().findings.back().last_step = first + 11;
    }
    if (steps > 700) {
        story.finding(
            FindingKind::gap,
            Severity::critical,
            650,
            "gateway_seq 650 to 652 of gw-1: 1 event is missing"
        );
        story.finding(FindingKind::late, Severity::info, 120, "arrived 75 s after it ended");
        story.made().completeness.events_missing = 1;
        story.made().completeness.late = 1;
    }
    return story.finish();
}

// Markup, quotes, terminal and bidirectional controls, ill-formed UTF-8, long words, a 1 MiB line.
inline Timeline hostile_session() {
    const std::string markup =
        "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>";
    const std::string controls =
        "\x1b[31mred\x1b]0;title\x07 \xe2\x80\xae"
        "gpj.exe\xe2\x80\xac \x01\xff end";
    TimelineForTest story("sess </title><script>window.hacked=1</script> & \"co\" \xe2\x80\xae");
    story.tool(markup, controls, EventOutcome::error).error_class = story.text("<!--" + markup);
    story.detail(fmt::format(
        R"({{"attributes":{{"gen_ai.tool.call.arguments":"{}","gen_ai.tool.call.result":"{} \u202e \u001b[2J <!-- <script>"}}}})",
        markup,
        std::string(64, 'x')
    ));
    story.decision(controls, "a" + markup, {"a" + markup, "']]>\"", "${7*7}"});
    story.tool(markup, std::string(300, 'W'));
    story.detail(
        R"({"attributes":{"gen_ai.tool.call.arguments":"line","gen_ai.tool.call.result":")" +
        std::string(1U << 20U, 'y') + R"("}})"
    );
    story.policy(controls, markup, "javascript:alert(1)");
    story.state("\xe2\x80\xae" + markup);
    story.inference("agent\nwith\nlines", "__proto__", 0.1, 100);
    story.detail(
        R"({"attributes":{"gen_ai.input.messages":"[{\"role\":\"<b>user</b>\",\"content\":\"</textarea><svg onload=window.hacked=1>\"},{\"role\":\"constructor\",\"parts\":[null,{\"text\":\"ok\"}]}]"}})"
    );
    story.finding(FindingKind::gap, Severity::critical, 1, markup + controls);
    story.made().completeness.events_missing = 1;
    return story.finish();
}

}  // namespace spangate
