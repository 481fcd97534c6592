// What the real clients of tests/captures give by the built-in table, all requests of one client
// through one gateway.
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

struct Totals {
    std::size_t spans = 0;
    std::size_t items = 0;
    std::size_t dropped = 0;
    std::map<std::string, std::size_t> types;
    std::map<std::string, std::size_t> bound;  // sessions' sources
    std::set<std::string> sessions;
    std::size_t own = 0;  // spans with a key of their own
};

// The value of `spangate_session_bound_total` for spans with a key of their own.
std::size_t own_keys(const Metrics& metrics) {
    const std::string text = metrics.exposition();
    const std::string series = "spangate_session_bound_total{source=\"own\"} ";
    const std::size_t at = text.find(series);
    return at == std::string::npos ? 0 : std::stoul(text.substr(at + series.size()));
}

Totals totals_of(const std::string& capture) {
    Decoder decoder{ReceiverLimits{}};
    Arena arena;
    InterpretContext context;
    Totals totals;
    for (DecodedRequest& request :
         decode_capture(captures / capture, decoder, arena, received_at_for_test)) {
        totals.spans += request.spans.size();
        std::vector<DecodedRequest> one;
        one.push_back(std::move(request));
        const EventBatch& batch = context.interpret(std::move(one));
        totals.dropped += batch.outcomes[0].dropped_other + batch.outcomes[0].dropped_partial;
        for (const AgentItem& item : batch.items) {
            // A session_alias is the gateway's own.
            if (item.source == EventSource::gateway) continue;
            ++totals.items;
            ++totals.bound[std::string(item.session_source)];
            totals.sessions.emplace(item.session.session_id);
            for (const AgentEvent& event : item.events)
                ++totals.types[std::string(name_of(event.type))];
        }
    }
    totals.own = own_keys(context.metrics());
    return totals;
}

std::string types_of(const Totals& totals) {
    std::string text;
    for (const auto& [type, count] : totals.types)
        text += fmt::format("{} {}, ", type, count);
    return text;
}

}  // namespace

struct Expected {
    const char* capture;
    const char* types;
};

TEST_CASE("every span of every capture becomes an item or is counted as dropped") {
    std::size_t spans = 0;
    for (const auto& folder : std::filesystem::directory_iterator(captures)) {
        if (!folder.is_directory()) continue;
        const Totals totals = totals_of(folder.path().filename().string());
        INFO(folder.path().filename().string());
        CHECK(totals.items + totals.dropped == totals.spans);
        spans += totals.spans;
    }
    CHECK(spans == 1581);
}

TEST_CASE("each capture gives the events that its conventions say") {
    const std::vector<Expected> all = {
        {"ai5-json-http",
         "error 6, inference 17, retry 2, session_end 8, session_start 8, tool_request 8, "
         "tool_response 8, "},
        {"ai5-proto-gzip",
         "error 6, inference 17, retry 2, session_end 8, session_start 8, tool_request 8, "
         "tool_response 8, "},
        {"ai6-json-gzip",
         "error 4, inference 15, policy_intervention 2, retry 4, session_end 8, session_start 8, "
         "tool_request 5, tool_response 5, "},
        {"ai7-grpc-gzip",
         "error 7, inference 14, planner_decision 11, policy_intervention 2, retry 2, session_end "
         "7, session_start 7, step_cost 11, tool_request 5, tool_response 5, "},
        {"ai7-json",
         "error 7, inference 14, planner_decision 11, policy_intervention 2, retry 2, session_end "
         "7, session_start 7, step_cost 11, tool_request 5, tool_response 5, "},
        {"codex-cli",
         "other 58, planner_decision 1, session_end 1, session_start 1, step_cost 1, tool_request "
         "1, tool_response 1, "},
        {"gemini-cli", "inference 5, planner_decision 4, tool_request 4, tool_response 4, "},
        {"langfuse-http",
         "inference 1, policy_intervention 1, retrieval 1, retry 2, session_end 1, session_start "
         "1, tool_request 4, tool_response 4, "},
        {"llm-langgraph-http",
         "error 11, inference 10, planner_decision 25, policy_intervention 1, retrieval 1, retry "
         "2, session_end 2, session_start 2, tool_request 5, tool_response 5, "},
        {"llm-mcp-http", "error 1, other 14, tool_request 2, tool_response 2, "},
        {"llm-raw-http-gzip",
         "error 6, inference 34, planner_decision 2, policy_intervention 3, retry 11, "
         "session_end 1, session_start 1, step_cost 1, tool_request 10, tool_response 10, "},
        {"llm-raw-nocontent",
         "error 6, inference 34, planner_decision 2, policy_intervention 3, retry 11, "
         "session_end 1, session_start 1, step_cost 1, tool_request 10, tool_response 10, "},
        {"oinf-agents-http",
         "error 4, handoff 2, inference 19, planner_decision 36, policy_intervention 7, retry 4, "
         "session_end 7, session_start 7, step_cost 9, termination 1, tool_request 12, "
         "tool_response 12, "},
        {"oinf-langgraph-grpc",
         "error 4, inference 10, planner_decision 22, policy_intervention 1, retrieval "
         "1, retry 2, session_end 2, session_start 2, step_cost 6, tool_request 5, tool_response "
         "5, "},
        {"oinf-mcp-http", "other 6, retrieval 2, tool_request 4, tool_response 4, "},
        {"oinf-raw-http-gzip",
         "evaluation 1, inference 34, policy_intervention 4, retry 8, session_end 1, session_start "
         "1, tool_request 10, tool_response 10, "},
        {"otel-openai-v2-latest-grpc-gzip",
         "error 2, inference 12, policy_intervention 1, retry 2, session_end 1, session_start 1, "
         "tool_request 5, tool_response 5, "},
        {"otel-openai-v2-latest-http-gzip",
         "error 2, inference 12, policy_intervention 1, retry 2, session_end 1, session_start 1, "
         "tool_request 5, tool_response 5, "},
        {"otel-openai-v2-legacy-content",
         "error 2, inference 12, policy_intervention 1, retry 2, session_end 1, session_start 1, "
         "tool_request 5, tool_response 5, "},
        {"otel-openai-v2-legacy-nocontent",
         "error 2, inference 12, policy_intervention 1, retry 2, session_end 1, session_start 1, "
         "tool_request 5, tool_response 5, "},
        {"otelg-agents-grpc",
         "error 3, handoff 2, planner_decision 7, policy_intervention 1, retry 6, session_end 7, "
         "session_start 7, step_cost 9, termination 1, tool_request 12, tool_response 12, "},
        {"otelg-raw-http",
         "error 4, inference 34, policy_intervention 3, retry 8, session_end 1, session_start 1, "
         "tool_request 10, tool_response 10, "},
        {"pydantic-ai-http",
         "error 10, handoff 1, inference 14, planner_decision 1, policy_intervention 2, retry 2, "
         "session_end 6, session_start 6, step_cost 1, tool_request 7, tool_response 7, "},
        {"r503-ai7-proto",
         "error 21, inference 42, planner_decision 33, policy_intervention 6, retry 6, session_end "
         "21, session_start 21, step_cost 33, tool_request 15, tool_response 15, "},
        {"r503-otel-grpc",
         "error 6, inference 36, policy_intervention 3, retry 6, session_end 3, session_start 3, "
         "tool_request 15, tool_response 15, "},
        {"strands-http-gzip",
         "error 7, handoff 37, inference 48, planner_decision 51, policy_intervention 2, retry 2, "
         "session_end 4, session_start 4, step_cost 20, tool_request 5, tool_response 5, "},
    };
    for (const Expected& expected : all) {
        INFO(expected.capture);
        CHECK(types_of(totals_of(expected.capture)) == expected.types);
    }
}

TEST_CASE("most spans carry no key and still find their session") {
    std::size_t own = 0;
    std::size_t bound = 0;
    for (const auto& folder : std::filesystem::directory_iterator(captures)) {
        if (!folder.is_directory()) continue;
        const Totals totals = totals_of(folder.path().filename().string());
        own += totals.own;
        for (const auto& [source, count] : totals.bound) {
            if (source != "trace") bound += count;
        }
    }
    CHECK(own == 456);
    CHECK(bound == 610);
}
