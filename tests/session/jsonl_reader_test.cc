#include "session/jsonl_reader.h"

#include <filesystem>
#include <fstream>

#include <zstd.h>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "support/temporary_directory.h"

namespace spangate {
namespace {

constexpr const char* header = "{\"spangate_jsonl\":1,\"class\":\"operational\"}\n";

std::string event(int second, std::string_view session = "s-1") {
    return fmt::format(
        R"({{"event_id":"e{}","ts_received":"2026-09-21T10:00:{:02}.000000000Z","session_id":"{}"}})"
        "\n",
        second,
        second,
        session
    );
}

class Directory {
  public:
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary) << text;
    }

    void append(const std::string& name, const std::string& text) const {
        std::ofstream(path(name), std::ios::binary | std::ios::app) << text;
    }

    void write_packed(const std::string& name, const std::string& text) const {
        std::string packed(::ZSTD_compressBound(text.size()), '\0');
        packed.resize(::ZSTD_compress(packed.data(), packed.size(), text.data(), text.size(), 3));
        write(name, packed);
    }

    void rename(const std::string& from, const std::string& to) const {
        std::filesystem::rename(path(from), path(to));
    }

    [[nodiscard]] std::string path(const std::string& name) const {
        return directory_.path() + "/" + name;
    }

    [[nodiscard]] std::unique_ptr<JsonlReader> open(EventQuery query = {}) const {
        auto reader = JsonlReader::open(directory_.path(), std::move(query));
        REQUIRE(reader.has_value());
        return std::move(*reader);
    }

  private:
    TemporaryDirectory directory_;
};

// The event ids that there are now, one word.
std::string read_all(JsonlReader& reader) {
    std::string ids;
    StoredEvent event;
    EventFields fields;
    while (true) {
        const Result<ReadState> state = reader.next(event);
        REQUIRE(state.has_value());
        if (*state != ReadState::event) return ids;
        REQUIRE(fields.parse(event.value));
        ids += fields.text("event_id");
    }
}

EventQuery following() {
    EventQuery query;
    query.follows = true;
    return query;
}

}  // namespace

TEST_CASE("rotated files come first, in order, compressed or not, then the live one") {
    const Directory directory;
    directory.write("operational.jsonl", header + event(5) + event(6));
    directory.write("operational-20260921T100003Z-10.jsonl", header + event(4));
    directory.write_packed("operational-20260921T100003Z-9.jsonl.zst", header + event(3));
    directory.write_packed(
        "operational-20260921T100002Z-1.jsonl.zst", header + event(1) + event(2)
    );
    directory.write("operational-notes.jsonl", event(9));
    directory.write("detail.jsonl", header + event(8));
    CHECK(read_all(*directory.open()) == "e1e2e3e4e5e6");
}

TEST_CASE("classes are merged by the time at which they were received") {
    const Directory directory;
    directory.write("operational.jsonl", header + event(1) + event(4));
    directory.write("detail.jsonl", header + event(2) + event(3) + event(5));
    EventQuery query;
    query.classes = {EventClass::operational, EventClass::detail};
    CHECK(read_all(*directory.open(query)) == "e1e2e3e4e5");
}

TEST_CASE("session and since choose events, and files that are older are not opened") {
    const Directory directory;
    directory.write("operational.jsonl", event(1, "s-1") + event(2, "s-2") + event(3, "s-1"));
    directory.write("operational-20200101T000000Z-1.jsonl", "not even JSON\n");
    EventQuery query;
    query.session_id = "s-1";
    query.since = 1'790'000'000'000'000'000 - 15'199'000'000'000;
    const auto reader = directory.open(query);
    CHECK(read_all(*reader) == "e1e3");
    CHECK(reader->damaged() == 0);
}

TEST_CASE("torn lines and damaged lines are passed over and counted") {
    const Directory directory;
    directory.write("operational.jsonl", event(1) + "{\"broken\n" + event(2) + "{\"torn");
    const auto reader = directory.open();
    CHECK(read_all(*reader) == "e1e2");
    CHECK(reader->damaged() == 1);
}

TEST_CASE("a damaged compressed file ends early, the next one is read") {
    const Directory directory;
    directory.write("operational-20260921T100001Z-1.jsonl.zst", "this is not zstd");
    directory.write("operational.jsonl", event(2));
    const auto reader = directory.open();
    CHECK(read_all(*reader) == "e2");
    CHECK(reader->damaged() == 1);
}

TEST_CASE("a follower gets new lines once they are whole") {
    const Directory directory;
    directory.write("operational.jsonl", header + event(1));
    const auto reader = directory.open(following());
    CHECK(read_all(*reader).empty());
    directory.append("operational.jsonl", event(2).substr(0, 20));
    CHECK(read_all(*reader).empty());
    directory.append("operational.jsonl", event(2).substr(20) + event(3));
    CHECK(read_all(*reader) == "e2e3");
}

TEST_CASE("a follower loses nothing when the file is rotated, even twice between two looks") {
    const Directory directory;
    directory.write("operational.jsonl", header + event(1));
    const auto reader = directory.open(following());
    CHECK(read_all(*reader).empty());
    directory.append("operational.jsonl", event(2));
    directory.rename("operational.jsonl", "operational-20260921T100002Z-1.jsonl");
    directory.write("operational.jsonl", header + event(3));
    directory.rename("operational.jsonl", "operational-20260921T100003Z-1.jsonl");
    directory.write("operational.jsonl", header + event(4));
    CHECK(read_all(*reader) == "e2e3e4");
    directory.append("operational.jsonl", event(5));
    CHECK(read_all(*reader) == "e5");
}

TEST_CASE("a follower waits for files that are not there yet") {
    const Directory directory;
    const auto reader = directory.open(following());
    CHECK(read_all(*reader).empty());
    directory.write("operational.jsonl", header + event(1));
    CHECK(read_all(*reader) == "e1");
}

TEST_CASE("a file rotated while older ones were read is not missed") {
    const Directory directory;
    directory.write("operational-20260921T100001Z-1.jsonl", event(1));
    directory.write("operational.jsonl", event(2));
    const auto reader = directory.open();
    StoredEvent first;
    REQUIRE(reader->next(first).value() == ReadState::event);
    directory.rename("operational.jsonl", "operational-20260921T100002Z-1.jsonl");
    directory.write("operational.jsonl", event(3));
    CHECK(read_all(*reader) == "e2e3");
}

TEST_CASE("a directory that is not there is not found") {
    const auto reader = JsonlReader::open("/nonexistent/spangate", {});
    REQUIRE_FALSE(reader.has_value());
    CHECK(reader.error().code == ErrorCode::not_found);
}

}  // namespace spangate
