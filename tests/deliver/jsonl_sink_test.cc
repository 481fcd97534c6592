#include "deliver/jsonl_sink.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <zstd.h>

#include <catch2/catch.hpp>

#include "support/eventually.h"
#include "support/faulty_file_system.h"
#include "support/manual_clock.h"
#include "support/record_builder.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

using testing::eventually;

class CountingListener final : public WithdrawalListener {
  public:
    void withdrawn(const OutboundRecord& /*record*/, WithdrawalReason reason) override {
        ++count;
        last = reason;
    }

    void gap_stored(const OutboundRecord& /*record*/) override {}

    std::atomic<int> count{0};
    std::atomic<WithdrawalReason> last{WithdrawalReason::refused};
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream stream(text);
    for (std::string line; std::getline(stream, line);)
        lines.push_back(line);
    return lines;
}

std::string unpacked(const std::string& packed) {
    std::string text(1'000'000, '\0');
    const std::size_t got =
        ::ZSTD_decompress(text.data(), text.size(), packed.data(), packed.size());
    REQUIRE(::ZSTD_isError(got) == 0);
    text.resize(got);
    return text;
}

// A sink over a directory of its own.
class Jsonl {
  public:
    Jsonl() {
        config.directory = directory.path() + "/events";
        config.compress = "none";
    }

    ~Jsonl() {
        files.repair();
        files.let_syncs();
    }

    void start() {
        Result<std::unique_ptr<JsonlSink>> opened = JsonlSink::open(
            {config, {"gw-1", "0.1.0", "host \"a\"", "abc"}, memory_bytes_max},
            files,
            listener,
            health,
            clock,
            metrics
        );
        if (!opened) FAIL(opened.error().message);
        sink = std::move(*opened);
    }

    void stop() { sink.reset(); }

    // One record with a ticket of its own; what its client hears.
    std::shared_ptr<testing::Answer> send(
        std::string_view body, EventClass event_class = EventClass::operational
    ) {
        const testing::TicketAndAnswer made = testing::make_ticket();
        OutboundRecord* record = builder.event_class(event_class).make("s-1", body, made.ticket);
        sink->send(std::array{record});
        made.ticket->settle(Settlement::stored);
        return made.answer;
    }

    // Sends and waits for the answer: true when it was stored.
    bool stores(std::string_view body, EventClass event_class = EventClass::operational) {
        const auto answer = send(body, event_class);
        REQUIRE(eventually([&] { return answer->answers() == 1; }));
        return answer->outcome.is_success;
    }

    [[nodiscard]] std::string text(const std::string& name) {
        return files.read(config.directory + "/" + name).value_or("");
    }

    [[nodiscard]] std::vector<std::string> names() {
        return files.list(config.directory).value_or(std::vector<std::string>());
    }

    [[nodiscard]] std::uint64_t counted(std::string_view name, Labels labels = {}) {
        return metrics.counter(name, "", labels).value();
    }

    void write_file(const std::string& name, const std::string& content) const {
        std::filesystem::create_directories(config.directory);
        std::ofstream(config.directory + "/" + name) << content;
    }

    TemporaryDirectory directory;
    JsonlConfig config;
    Bytes memory_bytes_max = 128 * mib;
    testing::FaultyFileSystem files;
    CountingListener listener;
    Health health;
    testing::ManualClock clock;
    Metrics metrics;
    SlabPool pool;
    testing::RecordBuilder builder{pool};
    std::unique_ptr<JsonlSink> sink;
};

}  // namespace

TEST_CASE("each class has its file: a header, then one record a line") {
    Jsonl jsonl;
    jsonl.start();
    CHECK(jsonl.stores("first"));
    CHECK(jsonl.stores("second"));
    CHECK(jsonl.stores("secret", EventClass::evidence));
    const auto lines = lines_of(jsonl.text("operational.jsonl"));
    REQUIRE(lines.size() == 3);
    CHECK(
        lines[0] ==
        R"({"spangate_jsonl":1,"class":"operational","gateway_id":"gw-1","version":"0.1.0",)"
        R"("host":"host \"a\"","started_at":"2026-09-21T14:13:20.000000000Z","rules":"abc"})"
    );
    CHECK(lines[1].find("first") != std::string::npos);
    CHECK(lines[2].find("second") != std::string::npos);
    CHECK(lines_of(jsonl.text("detail.jsonl")).size() == 1);
    CHECK(lines_of(jsonl.text("evidence.jsonl")).size() == 2);
    jsonl.stop();

    struct ::stat facts {};

    REQUIRE(::stat((jsonl.config.directory + "/evidence.jsonl").c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
}

TEST_CASE("success waits for fdatasync, and what waits meanwhile is one group") {
    Jsonl jsonl;
    jsonl.start();
    jsonl.files.hold_syncs();
    const auto first = jsonl.send("first");
    REQUIRE(eventually([&] { return jsonl.files.syncs_waiting() == 1; }));
    std::vector<std::shared_ptr<testing::Answer>> answers;
    for (int i = 0; i < 100; ++i)
        answers.push_back(jsonl.send("later"));
    CHECK(first->answers() == 0);
    jsonl.files.let_syncs();
    for (const auto& answer : answers)
        REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(first->outcome.is_success);
    CHECK(jsonl.counted("spangate_jsonl_commits_total") == 2);
}

TEST_CASE("what admission let in waits for a slow disk, new requests are refused meanwhile") {
    Jsonl jsonl;
    jsonl.memory_bytes_max = 32 * mib;
    jsonl.start();
    jsonl.files.hold_syncs();
    const auto first = jsonl.send("first");
    REQUIRE(eventually([&] { return jsonl.files.syncs_waiting() == 1; }));
    std::vector<std::shared_ptr<testing::Answer>> answers;
    jsonl.builder.padding(mib);
    for (int i = 0; i < 48; ++i)  // more than the 32 MiB that sufficed for no large request
        answers.push_back(jsonl.send("large"));
    CHECK(jsonl.sink->refusal().reason == "the JSONL files are behind");
    CHECK(jsonl.listener.count == 0);
    for (int i = 0; i < 48; ++i)  // nothing waits without a bound, whatever happens
        (void)jsonl.send("too much");
    CHECK(jsonl.listener.count > 0);
    jsonl.files.let_syncs();
    for (const auto& answer : answers) {
        REQUIRE(eventually([&] { return answer->answers() == 1; }));
        CHECK(answer->outcome.is_success);
    }
    REQUIRE(eventually([&] { return jsonl.sink->refusal().reason.empty(); }));
}

TEST_CASE("a full disk refuses, says so, and the sink recovers by itself") {
    Jsonl jsonl;
    jsonl.start();
    REQUIRE(jsonl.stores("before"));
    jsonl.files.tear_appends(ErrorCode::unavailable);
    CHECK_FALSE(jsonl.stores("lost"));
    CHECK(jsonl.listener.last == WithdrawalReason::write_failed);
    CHECK(jsonl.sink->refusal().reason == "no space is left for the JSONL files");
    CHECK(jsonl.health.not_ready().count("jsonl") == 1);
    CHECK(jsonl.counted("spangate_jsonl_faults_total", {{"kind", "no_space"}}) == 1);
    CHECK_FALSE(jsonl.stores("lost too"));

    jsonl.clock.advance(std::chrono::seconds(2));  // still full: the new header is torn
    REQUIRE(eventually([&] {
        return jsonl.counted("spangate_jsonl_faults_total", {{"kind", "no_space"}}) > 1;
    }));
    jsonl.files.repair();
    jsonl.clock.advance(std::chrono::seconds(2));
    REQUIRE(eventually([&] { return jsonl.sink->refusal().reason.empty(); }));
    CHECK(jsonl.health.not_ready().empty());
    CHECK(jsonl.stores("after"));

    std::string all;
    for (const std::string& name : jsonl.names()) {
        const std::string text = jsonl.text(name);
        CHECK(text.ends_with('\n'));
        all += text;
    }
    CHECK(all.find("before") != std::string::npos);
    CHECK(all.find("after") != std::string::npos);
    CHECK(all.find("lost") == std::string::npos);
}

TEST_CASE("after a failed fdatasync the file is never written again") {
    Jsonl jsonl;
    jsonl.start();
    REQUIRE(jsonl.stores("before"));
    jsonl.files.break_operation("sync", ErrorCode::io, "operational");
    CHECK_FALSE(jsonl.stores("unsynced"));
    CHECK(jsonl.sink->refusal().reason == "the JSONL files cannot be written");
    jsonl.files.repair();
    jsonl.clock.advance(std::chrono::seconds(2));
    REQUIRE(eventually([&] { return jsonl.sink->refusal().reason.empty(); }));
    CHECK(jsonl.stores("after"));
    const std::string old = jsonl.text("operational-20260921T141322Z-1.jsonl");
    CHECK(old.find("before") != std::string::npos);
    CHECK(old.find("unsynced") == std::string::npos);
    CHECK(jsonl.text("operational.jsonl").find("after") != std::string::npos);
}

TEST_CASE("data keys have a file of their own, and a fault of it is told to who waits for a key") {
    Jsonl jsonl;
    jsonl.start();
    const auto send_key = [&jsonl] {
        const testing::TicketAndAnswer made = testing::make_ticket();
        OutboundRecord* key =
            jsonl.builder.event_class(EventClass::evidence).make("k1", "key", made.ticket);
        key->is_evidence_key = true;
        jsonl.sink->send(std::array{key});
        made.ticket->settle(Settlement::stored);
        REQUIRE(eventually([&] { return made.answer->answers() == 1; }));
        return made.answer->outcome.is_success;
    };
    CHECK(send_key());
    CHECK(lines_of(jsonl.text("evidence-keys.jsonl")).size() == 1);
    CHECK(lines_of(jsonl.text("evidence.jsonl")).size() == 1);  // its header
    jsonl.files.break_operation("append", ErrorCode::io, "evidence-keys");
    CHECK_FALSE(send_key());
    CHECK(jsonl.counted("spangate_jsonl_faults_total", {{"kind", "evidence_keys"}}) == 1);
    jsonl.files.repair();
    CHECK(send_key());
}

TEST_CASE("a fault of one class does not stop the others") {
    Jsonl jsonl;
    jsonl.start();
    jsonl.files.break_operation("append", ErrorCode::io, "detail");
    CHECK_FALSE(jsonl.stores("d", EventClass::detail));
    CHECK(jsonl.stores("o", EventClass::operational));
}

TEST_CASE("a file that has reached its size is rotated and compressed") {
    Jsonl jsonl;
    jsonl.config.rotate_bytes = 1'000;
    jsonl.config.compress = "zstd";
    jsonl.start();
    for (int i = 0; i < 30; ++i)
        REQUIRE(jsonl.stores(std::string(100, 'x') + std::to_string(i)));
    const auto count_ending = [&jsonl](std::string_view ending) {
        const auto names = jsonl.names();
        return std::count_if(names.begin(), names.end(), [ending](const std::string& name) {
            return name.ends_with(ending);
        });
    };
    const auto rotations = jsonl.counted("spangate_jsonl_rotations_total");
    CHECK(rotations > 2);
    REQUIRE(eventually([&] {
        return count_ending(".zst") == static_cast<std::int64_t>(rotations) &&
               count_ending(".jsonl") == 3;
    }));
    std::size_t records = lines_of(jsonl.text("operational.jsonl")).size() - 1;
    for (const std::string& name : jsonl.names()) {
        if (!name.ends_with(".zst")) continue;
        const auto lines = lines_of(unpacked(jsonl.text(name)));
        CHECK(lines.at(0).starts_with("{\"spangate_jsonl\":1,"));
        records += lines.size() - 1;
    }
    CHECK(records == 30);
}

TEST_CASE("what an earlier run left is cut, rotated and compressed at start") {
    Jsonl jsonl;
    jsonl.config.compress = "zstd";
    jsonl.write_file("operational.jsonl", "{\"spangate_jsonl\":1}\n{\"a\":1}\n{\"to");
    jsonl.write_file("detail.jsonl", "{\"spangate_jsonl\":1,\"class\":\"detail\"}\n");
    jsonl.write_file("evidence.jsonl", "no newline at all");
    jsonl.write_file("detail-20200101T000000Z-1.jsonl", "{\"old\":1}\n");
    jsonl.write_file("detail-20200101T000000Z-1.jsonl.zst.part", "half");
    jsonl.write_file("notes.jsonl", "somebody else's");
    jsonl.start();
    CHECK(jsonl.counted("spangate_jsonl_torn_lines_total") == 2);
    CHECK(jsonl.counted("spangate_jsonl_rotations_total") == 1);
    REQUIRE(eventually([&] { return jsonl.counted("spangate_jsonl_compressed_files_total") == 2; })
    );
    CHECK(
        jsonl.names() ==
        std::vector<std::string>{
            "detail-20200101T000000Z-1.jsonl.zst",
            "detail.jsonl",
            "evidence.jsonl",
            "notes.jsonl",
            "operational-20260921T141320Z-1.jsonl.zst",
            "operational.jsonl"}
    );
    CHECK(
        unpacked(jsonl.text("operational-20260921T141320Z-1.jsonl.zst")) ==
        "{\"spangate_jsonl\":1}\n{\"a\":1}\n"
    );
    CHECK(unpacked(jsonl.text("detail-20200101T000000Z-1.jsonl.zst")) == "{\"old\":1}\n");
}

TEST_CASE("a restart without records leaves no empty files") {
    Jsonl jsonl;
    for (int i = 0; i < 3; ++i) {
        jsonl.start();
        jsonl.stop();
    }
    CHECK(jsonl.names().size() == 3);
    CHECK(jsonl.counted("spangate_jsonl_rotations_total") == 0);
}

TEST_CASE("records over the waiting bound are withdrawn at once, the others are stored") {
    Jsonl jsonl;
    jsonl.memory_bytes_max = 16 * mib;  // the bound is 32 MiB
    jsonl.start();
    jsonl.files.hold_syncs();
    jsonl.builder.padding(4 * mib);
    std::vector<std::shared_ptr<testing::Answer>> answers;
    for (int i = 0; i < 12; ++i)
        answers.push_back(jsonl.send("large"));
    CHECK(jsonl.listener.count == 5);
    CHECK(jsonl.listener.last == WithdrawalReason::sink_refusing);
    CHECK(jsonl.sink->refusal().reason == "the JSONL files are behind");
    jsonl.files.let_syncs();
    int stored = 0;
    for (const auto& answer : answers) {
        REQUIRE(eventually([&] { return answer->answers() == 1; }));
        if (answer->outcome.is_success) ++stored;
    }
    CHECK(stored == 7);
    REQUIRE(eventually([&] { return jsonl.sink->refusal().reason.empty(); }));
}

TEST_CASE("drain waits for the disk, and withdraws at the deadline what never reached it") {
    Jsonl jsonl;
    jsonl.start();
    const auto quick = jsonl.send("quick");
    jsonl.sink->drain(jsonl.clock.steady() + std::chrono::seconds(5));
    CHECK(quick->answers() == 1);

    jsonl.files.hold_syncs();
    const auto stuck = jsonl.send("stuck");
    REQUIRE(eventually([&] { return jsonl.files.syncs_waiting() == 1; }));
    const auto late = jsonl.send("late");
    jsonl.sink->drain(jsonl.clock.steady());
    CHECK(late->answers() == 1);
    CHECK_FALSE(late->outcome.is_success);
    CHECK(jsonl.listener.last == WithdrawalReason::shutdown);
    jsonl.files.let_syncs();
    REQUIRE(eventually([&] { return stuck->answers() == 1; }));
    CHECK(stuck->outcome.is_success);
}

TEST_CASE("a directory that cannot be made is an error at start") {
    Jsonl jsonl;
    jsonl.config.directory = jsonl.directory.file("occupied", "a file") + "/events";
    const auto opened = JsonlSink::open(
        {jsonl.config, {}, jsonl.memory_bytes_max},
        jsonl.files,
        jsonl.listener,
        jsonl.health,
        jsonl.clock,
        jsonl.metrics
    );
    CHECK_FALSE(opened.has_value());
}

}  // namespace spangate
