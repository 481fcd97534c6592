#include "guard/policy_event.h"

#include <fstream>
#include <map>
#include <regex>
#include <sstream>

#include <catch2/catch.hpp>

#include "guard/guard_events.h"
#include "session/event_fields.h"
#include "timeline/story_reader.h"

namespace spangate {
namespace {

using testing::guard_start;
using testing::KeptTellings;
using testing::second_ns;
using testing::tool_response;

// Name → number of the fields of proto/spangate/v1/events.proto.
std::map<std::string, std::uint32_t> contract_fields() {
    std::ifstream file(SPANGATE_SOURCE_DIR "/proto/spangate/v1/events.proto");
    std::ostringstream text;
    text << file.rdbuf();
    const std::string body = text.str();
    const std::regex line(R"((?:optional|repeated)\s+\w+\s+(\w+)\s*=\s*(\d+);)");
    std::map<std::string, std::uint32_t> fields;
    for (std::sregex_iterator at(body.begin(), body.end(), line), end; at != end; ++at)
        fields.emplace((*at)[1], static_cast<std::uint32_t>(std::stoul((*at)[2])));
    return fields;
}

// The policy events of a loop, in both encodings.
struct Made {
    PolicyEvent json;
    PolicyEvent protobuf;
    LoopTelling telling;
};

std::vector<Made> events_of_a_loop(const GuardConfig& config, WallNanos now) {
    std::vector<Made> made;
    KeptTellings kept;
    const GuardIdentity identity = guard_identity(config);
    kept.on_tell = [&](const GuardTelling& told) {
        made.push_back(
            {make_policy_event(told, identity, config, {}, now),
             make_policy_event(told, identity, config, {false, "full"}, now),
             told.telling}
        );
    };
    Watch watch(config, "", kept);
    for (int i = 0; i < 7; ++i)
        (void)watch.observe({}, i, tool_response(i));
    return made;
}

StoryEvent story_of(const std::string& value, bool is_json, TextPool& texts) {
    StoredEvent stored;
    stored.value = value;
    stored.is_json = is_json;
    StoryReader reader;
    StoryEvent event;
    REQUIRE(reader.read(stored, texts, event));
    return event;
}

std::vector<std::string> names_in(const std::string& json) {
    const std::regex name("[{,]\"(\\w+)\":");
    std::vector<std::string> names;
    for (std::sregex_iterator at(json.begin(), json.end(), name), end; at != end; ++at)
        names.push_back((*at)[1]);
    return names;
}

}  // namespace

TEST_CASE("a policy event has the fields of the contract and no others") {
    const GuardConfig config;
    const auto fields = contract_fields();
    REQUIRE(fields.size() > 100);
    const std::vector<Made> made = events_of_a_loop(config, guard_start);
    REQUIRE(made.size() >= 2);
    for (const Made& one : made) {
        INFO(one.json.value);
        EventFields json;
        REQUIRE(json.parse(one.json.value));
        for (const std::string& name : names_in(one.json.value)) {
            INFO(name);
            REQUIRE(fields.contains(name));
            CHECK(fields.at(name) < 200);  // operational
        }
        for (const char* name :
             {"schema_version",  "event_id",       "event_class",  "event_type",
              "timestamp",       "time_source",    "ts_received",  "tenant_id",
              "session_id",      "session_source", "gateway_id",   "gateway_epoch",
              "gateway_seq",     "source",         "rules",        "digest_key_id",
              "policy_decision", "policy_source",  "signal",       "severity",
              "first_event_id",  "last_event_id",  "repeat_count", "cost_so_far_usd",
              "classes"}) {
            INFO(name);
            CHECK(json.has(name));
        }
        CHECK(json.text("event_id") == one.json.event_id);
        CHECK(json.text("source") == "guard");
        CHECK(json.text("gateway_id") == config.group);
        CHECK(json.text("digest_key_id") == "k1");
    }
    CHECK(made.front().json.headers.size() == 2);
    CHECK(made.front().protobuf.headers.size() == 6);
}

TEST_CASE("JSON and protobuf tell the same") {
    const GuardConfig config;
    for (const Made& one : events_of_a_loop(config, guard_start)) {
        TextPool texts;
        const StoryEvent json = story_of(one.json.value, true, texts);
        const StoryEvent protobuf = story_of(one.protobuf.value, false, texts);
        CHECK(json.id == protobuf.id);
        CHECK(json.type == EventType::policy_intervention);
        CHECK(protobuf.type == EventType::policy_intervention);
        CHECK(json.source == EventSource::guard);
        CHECK(json.timestamp == one.telling.at);
        CHECK(json.timestamp == protobuf.timestamp);
        CHECK(json.session_id == protobuf.session_id);
        CHECK(json.gateway_id == protobuf.gateway_id);
        CHECK(json.gateway_seq == protobuf.gateway_seq);
        CHECK(json.gateway_epoch == protobuf.gateway_epoch);
        CHECK(json.signal == protobuf.signal);
        CHECK(texts[json.policy_source] == "guard:" + signal_code(one.telling.signal));
        CHECK(json.policy_source == protobuf.policy_source);
        CHECK(json.repeat_count == one.telling.repeats);
        CHECK(json.repeat_count == protobuf.repeat_count);
        CHECK(json.cost_so_far_usd == protobuf.cost_so_far_usd);
        CHECK(json.first_event_id == one.telling.first_event_id);
        CHECK(json.last_event_id == protobuf.last_event_id);
        CHECK(json.classes == protobuf.classes);
    }
}

TEST_CASE("a warning flags and a critical finding stops") {
    const GuardConfig config;
    EventFields json;
    for (const Made& one : events_of_a_loop(config, guard_start)) {
        REQUIRE(json.parse(one.json.value));
        const bool is_critical = one.telling.severity == Severity::critical;
        CHECK(json.text("policy_decision") == (is_critical ? "stop" : "flag"));
        CHECK(json.text("severity") == name_of(one.telling.severity));
    }
    CHECK(policy_signal(LoopSignal::budget) == "budget_risk");
    CHECK(policy_signal(LoopSignal::cycle) == "loop_suspected");
}

TEST_CASE("a repeat has the same id at another time, and other thresholds have other rules") {
    GuardConfig config;
    const auto first = events_of_a_loop(config, guard_start);
    const auto again = events_of_a_loop(config, guard_start + 99 * second_ns);
    REQUIRE(first.size() == again.size());
    for (std::size_t i = 0; i < first.size(); ++i) {
        CHECK(first[i].json.event_id == again[i].json.event_id);
        for (std::size_t j = 0; j < i; ++j)
            CHECK(first[i].json.event_id != first[j].json.event_id);
    }
    const std::string rules = guard_identity(config).rules;
    CHECK(rules.size() == 12);
    config.loops.repeats_warn = 2;
    CHECK(guard_identity(config).rules != rules);
}

TEST_CASE("the webhook hears what the event says, in words") {
    const GuardConfig config;
    KeptTellings kept;
    std::string message;
    kept.on_tell = [&](const GuardTelling& told) {
        message = webhook_message(told, "00112233445566778899aabbccddeeff", guard_start);
    };
    Watch watch(config, "", kept);
    for (int i = 0; i < 6; ++i)
        (void)watch.observe({}, i, tool_response(i));
    EventFields json;
    REQUIRE(json.parse(message));
    CHECK(json.text("session_id") == "sess-1");
    CHECK(json.text("severity") == "critical");
    CHECK(json.text("code").starts_with("L"));
    CHECK_FALSE(json.text("text").empty());
}

}  // namespace spangate
