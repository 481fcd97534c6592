// The captures whose clients send log records beside their spans: the same calls, told once.
#include <filesystem>
#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "support/capture.h"
#include "support/interpret_context.h"

using namespace spangate;

namespace {

const std::filesystem::path captures =
    std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures";

struct Told {
    std::size_t logs = 0;       // records that came
    std::size_t log_items = 0;  // and were kept
    std::size_t joined = 0;
    std::size_t calls = 0;  // counted
    std::int64_t tokens = 0;
    std::map<std::string, std::size_t> log_types;
    std::map<EventType, std::size_t> first;  // events that name no twin
    std::set<std::string> sessions;          // of log records
    std::set<std::string> event_ids;
    std::size_t events = 0;
};

void tell(const AgentItem& item, Told& told) {
    const bool is_log = item.source == EventSource::log;
    if (is_log) {
        ++told.log_items;
        told.sessions.emplace(item.session.session_id);
        if (!text_on(item, FieldId::joins).empty()) ++told.joined;
    }
    for (const AgentEvent& event : item.events) {
        ++told.events;
        told.event_ids.emplace(view(event.event_id));
        if (text_on(event, FieldId::twin_of).empty()) ++told.first[event.type];
        if (is_log) ++told.log_types[std::string(name_of(event.type))];
    }
    if (text_on(item, FieldId::counted) != "true") return;
    ++told.calls;
    const FieldValue* tokens = item.fields->find(FieldId::tokens_prompt);
    if (tokens != nullptr) told.tokens += tokens->integer;
}

Told told_of(const std::string& capture, bool with_logs, bool logs_first = false) {
    Decoder decoder{ReceiverLimits{}};
    Arena arena;
    InterpretContext context;
    Told told;
    std::vector<DecodedRequest> requests =
        decode_capture(captures / capture, decoder, arena, received_at_for_test, with_logs);
    if (logs_first) std::reverse(requests.begin(), requests.end());
    for (DecodedRequest& request : requests) {
        if (request.raw.signal == Signal::logs) told.logs += request.spans.size();
        std::vector<DecodedRequest> one;
        one.push_back(std::move(request));
        for (const AgentItem& item : context.interpret(std::move(one)).items)
            tell(item, told);
    }
    return told;
}

std::string types_of(const Told& told) {
    std::string text;
    for (const auto& [type, count] : told.log_types)
        text += fmt::format("{} {}, ", type, count);
    return text;
}

}  // namespace

TEST_CASE("log records beside spans change neither the calls nor the tokens counted") {
    for (const std::string capture :
         {"otel-openai-v2-latest-grpc-gzip",
          "otel-openai-v2-legacy-content",
          "otel-openai-v2-legacy-nocontent",
          "otelg-raw-http"}) {
        INFO(capture);
        const Told alone = told_of(capture, false);
        for (const bool logs_first : {false, true}) {
            const Told both = told_of(capture, true, logs_first);
            CHECK(both.logs > 0);
            CHECK(both.log_items == both.logs);
            CHECK(both.joined == both.logs);
            CHECK(both.calls == alone.calls);
            CHECK(both.tokens == alone.tokens);
            CHECK(both.event_ids.size() == both.events);
        }
    }
}

TEST_CASE("Codex' log records tell its calls, tools and decisions") {
    const Told told = told_of("codex-cli", true);
    // Its conversation_starts stands in a span event of the same trace as well: that run has begun.
    CHECK(told.logs == 25);
    CHECK(told.log_items == 25);
    CHECK(
        types_of(told) ==
        "inference 2, other 20, planner_decision 1, policy_intervention 1, "
        "tool_request 1, tool_response 1, "
    );
    CHECK(told.calls == 2);
    CHECK(told.tokens == 240);
    for (const bool logs_first : {false, true}) {
        Told both = told_of("codex-cli", true, logs_first);
        CHECK(both.first[EventType::session_start] == 1);
        CHECK(both.first[EventType::tool_request] == 1);
        CHECK(both.first[EventType::tool_response] == 1);
    }
    CHECK(told.sessions.size() == 1);
}

TEST_CASE("Gemini CLI's calls count by its api_response records alone") {
    const Told told = told_of("gemini-cli", true);
    CHECK(told.logs == 30);
    CHECK(told.log_items == 30);
    CHECK(told.calls == 5);
    CHECK(told.tokens == 600);
    CHECK(told.sessions.size() == 1);
    CHECK(told.log_types.at("session_start") == 1);
    CHECK(told.log_types.at("tool_response") == 4);
    CHECK(told.log_types.at("retry") == 2);
    for (const bool logs_first : {false, true}) {
        Told both = told_of("gemini-cli", true, logs_first);
        CHECK(both.first[EventType::tool_request] == 4);
        CHECK(both.first[EventType::tool_response] == 4);
    }
}

TEST_CASE("a guardrail that blocks is told by the turn it ended") {
    Decoder decoder{ReceiverLimits{}};
    Arena arena;
    InterpretContext context;
    std::size_t guardrails = 0;
    std::size_t blocks = 0;
    for (DecodedRequest& request :
         decode_capture(captures / "oinf-agents-http", decoder, arena, received_at_for_test)) {
        std::vector<DecodedRequest> one;
        one.push_back(std::move(request));
        for (const AgentItem& item : context.interpret(std::move(one)).items) {
            const AgentEvent* event = event_of(item, EventType::policy_intervention);
            if (event == nullptr) continue;
            if (!text_on(*event, FieldId::guardrail_name).empty()) ++guardrails;
            if (text_on(*event, FieldId::outcome) == "blocked") ++blocks;
        }
    }
    CHECK(guardrails == 5);
    CHECK(blocks == 2);  // a guardrail, and a model that refused
}
