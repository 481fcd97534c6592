#include "guard/session_record.h"

#include <catch2/catch.hpp>

#include "guard/guard_events.h"

namespace spangate {
namespace {

using testing::KeptTellings;
using testing::tool_response;

const GuardConfig config;

}  // namespace

TEST_CASE("a session comes back from its record as it was") {
    KeptTellings kept;
    Watch watch(config, "", kept);
    testing::ToolCall call;
    call.session_id = "odd \"id\"\n\xc3\xbc";
    for (int i = 0; i < 4; ++i)
        CHECK(watch.observe({0, 3}, 100 + i, tool_response(i, call)) == Watched::observed);
    const GuardedSession* session = watch.shelf().find({"acme", call.session_id});
    REQUIRE(session != nullptr);
    REQUIRE(session->told_count > 0);

    const std::string value = session_record_value(*session, "agent.operational");
    EventFields fields;
    std::optional<SavedSession> saved = read_session_record(value, fields);
    REQUIRE(saved.has_value());
    CHECK(saved->topic == "agent.operational");
    CHECK(saved->offset == 103);
    const Result<GuardedSession> woken = wake_session(std::move(*saved), {0, 3}, config);
    REQUIRE(woken.has_value());

    CHECK(woken->key() == session->key());
    CHECK(woken->session_source == "session.id");
    CHECK(woken->digest_key_id == "k1");
    CHECK(woken->offset == session->offset);
    CHECK(woken->last_seen == session->last_seen);
    CHECK(woken->epoch_ms == session->epoch_ms);
    CHECK(woken->told_count == session->told_count);
    CHECK(woken->detector.standing() == session->detector.standing());
    CHECK(woken->detector.cost_usd() == session->detector.cost_usd());
    REQUIRE(woken->reasons.size() == session->reasons.size());
    CHECK(woken->reasons[0].text == session->reasons[0].text);
    CHECK(woken->reasons[0].repeats == session->reasons[0].repeats);
    CHECK(session_record_value(*woken, "agent.operational") == value);
}

TEST_CASE("keys of different sessions differ, whatever stands in them") {
    CHECK(session_record_key({"a", "b"}) == R"(["a","b"])");
    CHECK(session_record_key({"a\",\"b", "c"}) != session_record_key({"a", "b\",\"c"}));
}

TEST_CASE("a record that is cut or of another version is no session") {
    GuardedSession session({"acme", "s"}, {}, LoopDetector(config));
    const std::string value = session_record_value(session, "t");
    EventFields fields;
    REQUIRE(read_session_record(value, fields).has_value());
    for (std::size_t size = 0; size < value.size(); ++size)
        CHECK_FALSE(read_session_record(value.substr(0, size), fields).has_value());
    std::string other = value;
    other.replace(other.find("\"version\":1"), 11, "\"version\":2");
    CHECK_FALSE(read_session_record(other, fields).has_value());
}

TEST_CASE("a damaged detector is refused, not believed") {
    GuardedSession session({"acme", "s"}, {}, LoopDetector(config));
    EventFields fields;
    std::optional<SavedSession> saved =
        read_session_record(session_record_value(session, "t"), fields);
    REQUIRE(saved.has_value());
    saved->detector.resize(saved->detector.size() / 2);
    CHECK_FALSE(wake_session(std::move(*saved), {}, config).has_value());
}

}  // namespace spangate
