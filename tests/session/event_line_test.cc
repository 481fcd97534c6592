#include "session/event_line.h"

#include <catch2/catch.hpp>

#include "base/text.h"

namespace spangate {
namespace {

std::string harmless(std::string_view text) {
    std::string out;
    append_harmless(text, out);
    return out;
}

}  // namespace

TEST_CASE("control characters, bidirectional overrides and ill-formed bytes become harmless") {
    CHECK(harmless("plain é 😀 \"q\"") == "plain é 😀 \"q\"");
    CHECK(harmless("\x1b[2J\n\x7f") == "\\u001b[2J\\u000a\\u007f");
    CHECK(
        harmless("\xC2\x9B"
                 "31m") == "\\u009b31m"
    );
    CHECK(
        harmless("a\xE2\x80\xAE"
                 "b") == "a\\u202eb"
    );
    CHECK(harmless("\xff") == "\xEF\xBF\xBD");
    CHECK(harmless("\xE2\x80").find('\xE2') == std::string::npos);
}

TEST_CASE("a line tells who did what, how it ended and what it cost") {
    StoredEvent event;
    event.value = R"({"timestamp":"2026-09-21T10:15:00.123456789Z","event_type":"inference",)"
                  R"("session_id":"s-1","agent_name":"planner","model":"gpt-x","outcome":"error",)"
                  R"("error_class":"rate_limit","duration_ms":12.4,"tokens_prompt":120,)"
                  R"("tokens_completion":30,"cost_usd":0.0021})";
    EventLine line(false);
    CHECK(
        line.text_of(event) ==
        "2026-09-21T10:15:00.123Z operational inference           s-1 agent=planner model=gpt-x "
        "outcome=error error=rate_limit 12ms tokens=120+30 cost=$0.002100"
    );
    EventLine coloured(true);
    CHECK(coloured.text_of(event).find("\x1b[31m outcome=error") != std::string_view::npos);
}

TEST_CASE("lines that follow each other are aligned by the longest session and agent so far") {
    EventLine line(false);
    StoredEvent event;
    event.value = R"({"event_type":"inference","session_id":"a-long-one","agent_name":"planner"})";
    const std::string first(line.text_of(event));
    event.value =
        R"({"event_type":"tool_response","session_id":"b","agent_name":"w","tool_name":"x"})";
    const std::string second(line.text_of(event));
    CHECK(first.find("agent=") == second.find("agent="));
    CHECK(second.find("tool=x") == first.size() + 1);
    event.value = R"({"event_type":"error","session_id":"c"})";
    CHECK(line.text_of(event).ends_with(" c"));
}

TEST_CASE("the detail of a log record tells its event and severity, never its body") {
    StoredEvent event;
    event.event_class = EventClass::detail;
    event.value = R"({"timestamp":"2026-09-21T10:15:00.123456789Z","event_type":"tool_response",)"
                  R"("session_id":"s-1","source":"log","tool_name":"Bash","outcome":"ok",)"
                  R"("body":"a text that is nobody's business","severity":"WARN",)"
                  R"("event_name":"claude_code.tool_result"})";
    EventLine line(false);
    CHECK(
        line.text_of(event) ==
        "2026-09-21T10:15:00.123Z detail      tool_response       s-1 tool=Bash "
        "event=claude_code.tool_result severity=WARN outcome=ok"
    );
    event.value = R"({"event_name":"a\u001b[2Jb","severity":")" + std::string(70, 'x') + "\"}";
    const std::string text(line.text_of(event));
    CHECK(text.find("event=a\\u001b[2Jb severity=" + std::string(64, 'x') + "…") != text.npos);
    CHECK(text.find(std::string(65, 'x')) == text.npos);
}

TEST_CASE("what is no event or no JSON still makes a line") {
    EventLine line(false);
    StoredEvent event;
    event.value = "{}";
    CHECK(line.text_of(event).starts_with("- operational"));
    event.value = "nonsense";
    CHECK(line.text_of(event) == "(not an event)");
    event.is_json = false;
    CHECK(line.text_of(event) == "operational (8 bytes of protobuf)");
}

}  // namespace spangate
