// Bodies that real SDKs sent (tests/captures).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include <zlib.h>

#include <catch2/catch.hpp>

#include "decode/decoder.h"
#include "otlp_logs_oracle.h"
#include "otlp_oracle.h"

namespace spangate {
namespace {

std::string file_text(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::string unzipped(const std::filesystem::path& path) {
    std::string text;
    ::gzFile file = ::gzopen(path.c_str(), "rb");
    std::array<char, 65'536> piece{};
    for (int read = 0; (read = ::gzread(file, piece.data(), piece.size())) > 0;)
        text.append(piece.data(), static_cast<std::size_t>(read));
    ::gzclose(file);
    return text;
}

// `kind`: as in file names, ".traces." or ".logs.".
std::vector<std::filesystem::path> captured(std::string_view kind) {
    std::vector<std::filesystem::path> paths;
    const std::filesystem::path root =
        std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures";
    if (!std::filesystem::exists(root)) return paths;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string name = entry.path().filename().string();
        const bool is_body = name.find(kind) != std::string::npos;
        if (is_body && name.find("headers") == std::string::npos) paths.push_back(entry.path());
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

// The body of one capture, decoded; views point into what this holds.
class Capture {
  public:
    Capture(const std::filesystem::path& path, Signal signal)
        : body_(path.extension() == ".gz" ? unzipped(path) : file_text(path)),
          is_json_(path.string().find(".json") != std::string::npos),
          raw_(testing::raw_request(
              body_, is_json_ ? BodyEncoding::json : BodyEncoding::protobuf, signal
          )),
          decoder_({}) {
        Result<DecodedItems> items = decoder_.decode(raw_, arena_);
        if (!items) FAIL(items.error().message);
        items_ = std::move(*items);
        CHECK(items_.rejected == 0);
    }

    [[nodiscard]] const std::string& body() const { return body_; }

    [[nodiscard]] bool is_json() const { return is_json_; }

    [[nodiscard]] const DecodedItems& items() const { return items_; }

  private:
    std::string body_;
    bool is_json_;
    RawRequest raw_;
    Decoder decoder_;
    Arena arena_;
    DecodedItems items_;
};

// How many records have each event name and each kind of body.
struct LogContents {
    std::map<std::string, int> event_names;
    std::map<ValueKind, int> bodies;

    bool operator==(const LogContents&) const = default;
};

LogContents contents_of(const std::string& file) {
    const Capture capture(
        std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures" / file, Signal::logs
    );
    LogContents contents;
    for (const SpanView& record : capture.items().spans) {
        ++contents.event_names[std::string(record.log->event_name)];
        ++contents.bodies[record.log->body.value.kind];
    }
    return contents;
}

// The string attribute `key` of each record, counted.
std::map<std::string, int> attribute_values(const DecodedItems& logs, std::string_view key) {
    std::map<std::string, int> values;
    for (const SpanView& record : logs.spans) {
        for (const Attribute& attribute : record.attributes) {
            if (attribute.key == key) ++values[std::string(attribute.value.text())];
        }
    }
    return values;
}

}  // namespace

TEST_CASE("every captured request is decoded whole, as the protobuf library reads it") {
    const auto paths = captured(".traces.");
    REQUIRE_FALSE(paths.empty());
    for (const std::filesystem::path& path : paths) {
        INFO(path.string());
        const Capture capture(path, Signal::traces);
        CHECK_FALSE(capture.items().spans.empty());
        if (capture.is_json()) continue;
        testing::OtlpRequest oracle;
        REQUIRE(oracle.ParseFromString(capture.body()));
        std::size_t spans_count = 0;
        for (const auto& resource_spans : oracle.resource_spans()) {
            for (const auto& scope_spans : resource_spans.scope_spans())
                spans_count += static_cast<std::size_t>(scope_spans.spans_size());
        }
        CHECK(capture.items().spans.size() == spans_count);
    }
}

TEST_CASE("every captured request of log records is decoded whole, as protobuf reads it") {
    const auto paths = captured(".logs.");
    REQUIRE_FALSE(paths.empty());
    for (const std::filesystem::path& path : paths) {
        INFO(path.string());
        const Capture capture(path, Signal::logs);
        CHECK_FALSE(capture.items().spans.empty());
        if (capture.is_json()) continue;
        testing::OtlpLogs oracle;
        REQUIRE(oracle.ParseFromString(capture.body()));
        testing::OtlpLogs rebuilt = testing::rebuilt_logs(capture.items());
        // No view shows the URL of a schema.
        for (auto& resource_logs : *oracle.mutable_resource_logs()) {
            resource_logs.clear_schema_url();
            for (auto& scope_logs : *resource_logs.mutable_scope_logs())
                scope_logs.clear_schema_url();
        }
        CHECK(rebuilt.SerializeAsString() == testing::as_views_show(oracle).SerializeAsString());
    }
}

TEST_CASE("captured log records have their event names and bodies") {
    const std::map<std::string, int> messages = {
        {"gen_ai.system.message", 6},
        {"gen_ai.user.message", 11},
        {"gen_ai.assistant.message", 15},
        {"gen_ai.tool.message", 15},
        {"gen_ai.choice", 10}};
    CHECK(
        contents_of("otel-openai-v2-legacy-content/0001.logs.bin") ==
        LogContents{messages, {{ValueKind::kvlist, 57}}}
    );
    CHECK(
        contents_of("otel-openai-v2-legacy-nocontent/0002.logs.bin") ==
        LogContents{messages, {{ValueKind::kvlist, 40}, {ValueKind::empty, 17}}}
    );
    const auto details = [](int count) {
        return LogContents{
            {{"gen_ai.client.inference.operation.details", count}}, {{ValueKind::empty, count}}};
    };
    CHECK(contents_of("otel-openai-v2-latest-grpc-gzip/0002.logs.bin") == details(11));
    CHECK(contents_of("otelg-raw-http/0001.logs.bin") == details(19));
    CHECK(contents_of("otelg-raw-http/0003.logs.bin") == details(4));
    // Neither command line says a name there: theirs is the attribute `event.name`.
    CHECK(
        contents_of("gemini-cli/0003.logs.json") ==
        LogContents{{{"", 30}}, {{ValueKind::string, 30}}}
    );
    const LogContents codex = contents_of("codex-cli/0003.logs.json");
    CHECK(codex.bodies == std::map<ValueKind, int>{{ValueKind::empty, 25}});
    CHECK(codex.event_names.at("event otel/src/events/session_telemetry.rs:1089") == 14);
}

TEST_CASE("the log records of captured command lines carry names, times and ids") {
    const std::filesystem::path root =
        std::filesystem::path(SPANGATE_SOURCE_DIR) / "tests/captures";
    const Capture codex(root / "codex-cli/0003.logs.json", Signal::logs);
    CHECK(attribute_values(codex.items(), "event.name").at("codex.conversation_starts") == 1);
    std::size_t within_spans = 0;
    for (const SpanView& record : codex.items().spans) {
        CHECK(record.start_unix_nano == 0);
        CHECK(record.log->observed_unix_nano > 0);
        CHECK(record.log->severity_number == 9);
        CHECK(record.log->severity_text == "INFO");
        within_spans += is_zero(record.trace_id) ? 0U : 1U;
    }
    CHECK(within_spans == 9);
    const Capture gemini(root / "gemini-cli/0003.logs.json", Signal::logs);
    CHECK(attribute_values(gemini.items(), "event.name").at("gemini_cli.config") == 1);
    for (const SpanView& record : gemini.items().spans)
        CHECK(record.start_unix_nano > 0);
}

}  // namespace spangate
