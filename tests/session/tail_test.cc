#include "session/tail.h"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

constexpr const char* two_events =
    R"({"spangate_jsonl":1})"
    "\n"
    R"({"timestamp":"2026-09-21T10:00:01.000000000Z","event_type":"inference","session_id":"a"})"
    "\n"
    R"({"timestamp":"2026-09-21T10:00:02.000000000Z","event_type":"error","session_id":"b"})"
    "\n";

class Printed {
  public:
    explicit Printed(TailOptions options) {
        const std::string path = directory_.file("operational.jsonl", two_events);
        options.directory = directory_.path();
        const std::atomic<bool> stop{false};
        count = run_tail(options, nullptr, out_, stop);
    }

    [[nodiscard]] std::string text() const { return out_.str(); }

    Result<std::uint64_t> count;

  private:
    TemporaryDirectory directory_;
    std::ostringstream out_;
};

}  // namespace

TEST_CASE("tail prints one line an event and counts them") {
    const Printed printed({});
    CHECK(printed.count.value() == 2);
    CHECK(
        printed.text() ==
        "2026-09-21T10:00:01.000Z operational inference           a\n"
        "2026-09-21T10:00:02.000Z operational error               b\n"
    );
}

TEST_CASE("tail prints the events themselves on request, of one session if asked") {
    TailOptions options;
    options.prints_json = true;
    options.filter.session_ids = {"b"};
    const Printed printed(options);
    CHECK(printed.count.value() == 1);
    CHECK(
        printed.text() ==
        R"({"timestamp":"2026-09-21T10:00:02.000000000Z","event_type":"error","session_id":"b"})"
        "\n"
    );
}

TEST_CASE("tail shows the events of one agent, tool or tenant, and of several sessions") {
    const std::string events =
        R"({"event_type":"inference","session_id":"a","tenant_id":"t","agent_name":"planner"})"
        "\n"
        R"({"event_type":"tool_response","session_id":"b","tenant_id":"t","agent_id":"w-1","tool_name":"search"})"
        "\n"
        R"({"event_type":"error","session_id":"c","tenant_id":"u"})"
        "\n";
    TemporaryDirectory directory;
    const std::string path = directory.file("operational.jsonl", events);
    const auto count = [&](const TailFilter& filter) {
        TailOptions options;
        options.directory = directory.path();
        options.filter = filter;
        std::ostringstream out;
        const std::atomic<bool> stop{false};
        return run_tail(options, nullptr, out, stop).value();
    };
    CHECK(count({}) == 3);
    TailFilter filter;
    filter.tenant_id = "t";
    CHECK(count(filter) == 2);
    filter.session_ids = {"a", "c"};
    CHECK(count(filter) == 1);
    filter.tenant_id.clear();
    CHECK(count(filter) == 2);
    filter.session_ids.clear();
    filter.agents = {"planner", "w-1"};
    CHECK(count(filter) == 2);
    filter.tools = {"search"};
    CHECK(count(filter) == 1);
    filter.tenant_id = "u";
    CHECK(count(filter) == 0);
}

TEST_CASE("tail reads on where nobody keeps a class") {
    TemporaryDirectory directory;
    const std::string path = directory.file("operational.jsonl", two_events);
    TailOptions options;
    options.directory = directory.path();
    options.classes = {EventClass::operational, EventClass::detail};
    std::ostringstream out;
    const std::atomic<bool> stop{false};
    CHECK(run_tail(options, nullptr, out, stop).value() == 2);
}

TEST_CASE("tail ends at once when it is told to stop") {
    TailOptions options;
    options.directory = "/";
    options.follows = true;
    std::ostringstream out;
    const std::atomic<bool> stop{true};
    CHECK(run_tail(options, nullptr, out, stop).value() == 0);
}

TEST_CASE("since is an age or a time") {
    const WallNanos now = 1'790'000'000'000'000'000;
    CHECK(since_from("90s", now).value() == now - 90'000'000'000);
    CHECK(since_from("10m", now).value() == now - 600'000'000'000);
    CHECK(since_from("2h", now).value() == now - 7'200'000'000'000);
    CHECK(since_from("1d", now).value() == now - 86'400'000'000'000);
    CHECK(since_from("1970-01-01T00:00:01Z", now).value_or(0) == 1'000'000'000);
    for (const char* wrong : {"", "10", "m", "-1m", "10m ", "yesterday", "99999999999d"})
        CHECK_FALSE(since_from(wrong, now).has_value());
}

}  // namespace spangate
