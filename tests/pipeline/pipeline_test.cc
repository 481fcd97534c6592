#include "pipeline/pipeline.h"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "deliver/gap_book.h"
#include "support/capture.h"
#include "support/fake_sink.h"
#include "support/manual_clock.h"
#include "support/product_context.h"
#include "support/recording_responder.h"

using namespace spangate;

namespace {

// Rooms 2–6 and the door, with one sink that does as it is told.
struct Context {
    Config config;
    testing::ManualClock clock;
    Metrics metrics;
    HashKey key{"0123456789abcdef0123456789abcdef"};
    SlabPool slabs;
    GapBook gaps{metrics};
    testing::FakeSink sink{metrics, gaps};
    Delivery delivery{{}, {&sink}, gaps, nullptr, clock, metrics};
    SessionMemory sessions{config.interpret.session_memory};
    UsageMemory usage{config.interpret.usage_memory};
    Ledger ledger{metrics};
    CurrentRules rules{testing::make_rules(config, key)};
    Pipeline pipeline{
        {config.receivers.limits,
         EventEncoding::json,
         rules,
         key,
         sessions,
         usage,
         slabs,
         delivery,
         ledger,
         metrics}};
    MemoryBudget budget{64 * mib};
    std::vector<Outcome> heard;

    void take(
        std::string_view body,
        Signal signal = Signal::traces,
        BodyEncoding encoding = BodyEncoding::protobuf
    ) {
        Lease lease(budget);
        REQUIRE(lease.grow_to(body.size() * 4));
        RawRequest request;
        request.signal = signal;
        request.encoding = encoding;
        request.body.append(body);
        request.received_at = clock.wall_nanos();
        request.ticket = new Ticket(
            std::make_unique<testing::RecordingResponder>(heard), &ledger, std::move(lease)
        );
        pipeline.take(std::move(request));
    }

    std::string series(std::string_view name) {
        const std::string text = metrics.exposition();
        const std::size_t at = text.find("\n" + std::string(name) + " ");
        return text.substr(at + name.size() + 2, text.find('\n', at + 1) - at - name.size() - 2);
    }
};

std::string agent_body() {
    return file_text(SPANGATE_SOURCE_DIR "/tests/captures/pydantic-ai-http/0001.traces.bin");
}

std::string text_of(const std::string& json, const std::string& name) {
    const std::string marker = "\"" + name + "\":\"";
    const std::size_t at = json.find(marker);
    if (at == std::string::npos) return {};
    return json.substr(at + marker.size(), json.find('"', at + marker.size()) - at - marker.size());
}

}  // namespace

TEST_CASE("a client hears success only when the sink has every record of its request") {
    Context context;
    context.sink.keep(true);
    context.take(agent_body());
    CHECK(context.pipeline.spans() == 28);
    context.pipeline.walk();
    CHECK(context.heard.empty());
    CHECK(context.budget.bytes_held() > 0);
    context.sink.store_held();
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].is_success);
    CHECK(context.budget.bytes_held() == 0);
    CHECK(context.slabs.bytes_out() == 0);
    CHECK(context.series("spangate_items_accepted_total") == "28");
}

TEST_CASE("log records become events under the same promise, and the ledger knows them apart") {
    Context context;
    const std::string body =
        file_text(SPANGATE_SOURCE_DIR "/tests/captures/codex-cli/0003.logs.json");
    context.sink.keep(true);
    context.take(body, Signal::logs, BodyEncoding::json);
    CHECK(context.pipeline.spans() == 25);
    context.pipeline.walk();
    CHECK(context.heard.empty());
    context.sink.store_held();
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].is_success);
    CHECK(context.series("spangate_items_received_total{signal=\"logs\"}") == "25");
    CHECK(context.series("spangate_items_received_total{signal=\"traces\"}") == "0");
    CHECK(context.series("spangate_items_accepted_total") == "25");
    std::set<std::string> types;
    for (const testing::SentRecord& record : context.sink.sent()) {
        CHECK(text_of(record.value, "source") == "log");
        if (record.event_class != EventClass::operational) continue;
        types.insert(text_of(record.value, "event_type"));
    }
    CHECK(types.count("inference") == 1);
    CHECK(types.count("tool_response") == 1);

    context.sink.keep(false);
    context.take(agent_body());
    context.take("{}", Signal::logs, BodyEncoding::json);
    context.take("{", Signal::logs, BodyEncoding::json);
    REQUIRE(context.heard.size() == 2);
    CHECK(context.heard[1].code == ErrorCode::invalid_argument);
    context.pipeline.walk();
    REQUIRE(context.heard.size() == 4);
    CHECK(context.series("spangate_items_received_total{signal=\"traces\"}") == "28");
}

TEST_CASE("a withdrawn record makes the request one to repeat") {
    Context context;
    context.sink.keep(true);
    context.take(agent_body());
    context.pipeline.walk();
    context.sink.withdraw_held();
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].code == ErrorCode::unavailable);
    CHECK(context.heard[0].retry_after_s == 3);
    CHECK(context.series("spangate_items_refused_total{reason=\"unavailable\"}") == "28");
}

TEST_CASE("requests walked together are answered apart, a broken one at once") {
    Context context;
    context.take(agent_body());
    context.take("\x0a\xff\xff\xff\xff\x0f not protobuf");
    REQUIRE(context.heard.size() == 1);
    CHECK(context.heard[0].code == ErrorCode::invalid_argument);
    context.take(agent_body());
    context.pipeline.walk();
    REQUIRE(context.heard.size() == 3);
    CHECK(context.heard[1].is_success);
    CHECK(context.heard[2].is_success);
}

TEST_CASE("the records of an event stand together under one number and one id") {
    Context context;
    context.take(agent_body());
    context.pipeline.walk();
    std::map<std::string, std::set<std::uint64_t>> numbers_by_event;
    std::set<std::string> operational;
    for (const testing::SentRecord& record : context.sink.sent()) {
        const std::string id = text_of(record.value, "event_id");
        REQUIRE(id.size() == 32);
        numbers_by_event[id].insert(record.seq);
        if (record.event_class == EventClass::operational) operational.insert(id);
        CHECK(text_of(record.value, "session_id") == record.session);
    }
    for (const auto& [id, numbers] : numbers_by_event) {
        CHECK(numbers.size() == 1);
        CHECK(operational.count(id) == 1);
    }
}

TEST_CASE("made-up secrets of a real client stand in evidence alone") {
    Context context;
    context.take(agent_body());
    context.pipeline.walk();
    std::map<EventClass, bool> holds_secret;
    for (const testing::SentRecord& record : context.sink.sent()) {
        for (const char* secret : {"4111111111111111", "jane.doe@example.com", "078-05-1120"}) {
            if (record.value.find(secret) != std::string::npos) {
                holds_secret[record.event_class] = true;
            }
        }
    }
    CHECK_FALSE(holds_secret[EventClass::operational]);
    CHECK_FALSE(holds_secret[EventClass::detail]);
    CHECK(holds_secret[EventClass::evidence]);
}

// But for the gateway's own events, such as an alias, which is told once.
TEST_CASE("a request sent again makes the same event ids") {
    Context context;
    const auto ids = [&context] {
        std::multiset<std::string> found;
        for (const testing::SentRecord& record : context.sink.sent()) {
            if (record.event_class == EventClass::operational &&
                text_of(record.value, "source") != "gateway") {
                found.insert(text_of(record.value, "event_id"));
            }
        }
        return found;
    };
    context.take(agent_body());
    context.pipeline.walk();
    const std::multiset<std::string> first = ids();
    context.take(agent_body());
    context.pipeline.walk();
    std::multiset<std::string> twice = first;
    twice.insert(first.begin(), first.end());
    CHECK(ids() == twice);
}

TEST_CASE("new rules hold from the next walk on") {
    Context context;
    Config changed = context.config;
    changed.enrich.env = "changed";
    context.take(agent_body());
    context.pipeline.walk();
    CHECK(text_of(context.sink.sent().back().value, "env") != "changed");
    context.rules = testing::make_rules(changed, context.key);
    context.take(agent_body());
    context.pipeline.walk();
    CHECK(text_of(context.sink.sent().back().value, "env") == "changed");
}
