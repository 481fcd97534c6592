#include "guard/watch.h"

#include <map>

#include <catch2/catch.hpp>

#include "guard/guard_events.h"
#include "guard/policy_event.h"
#include "guard/session_record.h"

namespace spangate {
namespace {

using testing::guard_start;
using testing::KeptTellings;
using testing::second_ns;
using testing::tool_response;
using testing::ToolCall;

// A call that is repeated `count` times, or different ones.
std::vector<StoredEvent> calls(int count, bool is_loop, const ToolCall& call = {}) {
    std::vector<StoredEvent> records;
    for (int i = 0; i < count; ++i) {
        ToolCall one = call;
        if (!is_loop) one.args = one.result = fmt::format("{:04x}", i);
        records.push_back(tool_response(i, one));
    }
    return records;
}

}  // namespace

TEST_CASE("a loop is told when it warns and when it is critical, not at each step") {
    const GuardConfig config;
    KeptTellings kept;
    Watch watch(config, "", kept);
    std::int64_t offset = 0;
    for (const StoredEvent& record : calls(8, true))
        CHECK(watch.observe({}, offset++, record) == Watched::observed);

    std::map<LoopSignal, std::vector<Severity>> told;
    for (const auto& one : kept.tellings)
        told[one.telling.signal].push_back(one.telling.severity);
    CHECK(
        told[LoopSignal::no_progress_repeat] ==
        std::vector<Severity>{Severity::warning, Severity::critical}
    );
    CHECK(watch.shelf().find({"acme", "sess-1"})->detector.standing() == Severity::critical);
    for (std::size_t i = 0; i < kept.tellings.size(); ++i)
        CHECK(kept.tellings[i].seq == i + 1);
}

TEST_CASE("a guard's own events, other tenants' and what cannot be read are passed over") {
    const GuardConfig config;
    KeptTellings kept;
    Watch watch(config, "acme", kept);
    ToolCall own;
    own.source = "guard";
    ToolCall other;
    other.tenant_id = "other";
    StoredEvent broken = tool_response(1);
    broken.value.resize(40);
    CHECK(watch.observe({}, 1, tool_response(1, own)) == Watched::own);
    CHECK(watch.observe({}, 2, tool_response(1, other)) == Watched::left_out);
    CHECK(watch.observe({}, 3, broken) == Watched::damaged);
    CHECK(watch.shelf().size() == 0);
}

TEST_CASE("a session that comes back on another partition begins its offsets anew") {
    const GuardConfig config;
    KeptTellings kept;
    Watch watch(config, "", kept);
    CHECK(watch.observe({0, 1}, 900, tool_response(1)) == Watched::observed);
    CHECK(watch.observe({0, 1}, 900, tool_response(1)) == Watched::covered);
    CHECK(watch.observe({0, 5}, 3, tool_response(2)) == Watched::observed);
}

TEST_CASE("after a crash at any place the same events are told, none twice and none missed") {
    const GuardConfig config;
    const GuardIdentity identity = guard_identity(config);
    const std::vector<StoredEvent> records = calls(14, true);
    const auto told_by = [&](std::size_t saved_at, std::size_t crashed_at) {
        std::map<std::string, std::string> events;  // id → what must be equal of it
        KeptTellings kept;
        kept.on_tell = [&](const GuardTelling& telling) {
            const PolicyEvent event = make_policy_event(telling, identity, config, {}, 1);
            const std::size_t seq = event.value.find("\"gateway_epoch\"");
            const std::size_t end = event.value.find("\"source\"", seq);
            std::string equal = event.value;
            equal.erase(seq, end - seq);
            const auto [known, is_new] = events.emplace(event.event_id, equal);
            CHECK(known->second == equal);
        };
        Watch first(config, "", kept);
        std::string saved;
        for (std::size_t i = 0; i < crashed_at; ++i) {
            if (i == saved_at && i > 0) {
                saved = session_record_value(*first.shelf().find({"acme", "sess-1"}), "t");
            }
            (void)first.observe({}, static_cast<std::int64_t>(i), records[i]);
        }
        // The next guard has what was saved, and reads from an offset at or before it.
        Watch second(config, "", kept);
        if (!saved.empty()) {
            EventFields fields;
            auto woken = wake_session(*read_session_record(saved, fields), {}, config);
            REQUIRE(woken.has_value());
            REQUIRE(second.restore(std::move(*woken)));
        }
        const std::size_t committed = saved.empty() ? 0 : saved_at / 2;
        for (std::size_t i = committed; i < records.size(); ++i) {
            const Watched watched = second.observe({}, static_cast<std::int64_t>(i), records[i]);
            CHECK(
                watched == (i < saved_at && !saved.empty() ? Watched::covered : Watched::observed)
            );
        }
        return events;
    };
    const auto undisturbed = told_by(0, 0);
    REQUIRE(undisturbed.size() >= 2);
    for (std::size_t crashed_at = 1; crashed_at <= records.size(); ++crashed_at) {
        for (std::size_t saved_at = 0; saved_at < crashed_at; ++saved_at) {
            INFO("saved before " << saved_at << ", crashed before " << crashed_at);
            CHECK(told_by(saved_at, crashed_at) == undisturbed);
        }
    }
}

TEST_CASE("the sessions in memory are bounded") {
    GuardConfig config;
    config.sessions_max = 100;
    KeptTellings kept;
    Watch watch(config, "", kept);
    for (int i = 0; i < 250; ++i) {
        ToolCall call;
        call.session_id = fmt::format("s{}", i);
        (void)watch.observe({}, i, tool_response(i, call));
    }
    CHECK(watch.shelf().size() == 100);
    CHECK(kept.evicted.size() == 150);
    CHECK(kept.evicted.front() == "s0");
}

TEST_CASE("a session is forgotten after its time to live, not before its partition is read") {
    GuardConfig config;
    config.session_ttl = Millis(60'000);
    KeptTellings kept;
    Watch watch(config, "", kept);
    (void)watch.observe({}, 1, tool_response(0));
    watch.tick([](Shard) { return 0; });
    CHECK(kept.forgotten.empty());
    watch.tick([](Shard) { return guard_start + 61 * second_ns; });
    CHECK(kept.forgotten == std::vector<std::string>{"sess-1"});
    CHECK(watch.shelf().size() == 0);
}

}  // namespace spangate
