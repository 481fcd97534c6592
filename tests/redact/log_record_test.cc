// What is a log record's own: body, severity text and event name. Where secrets may stand in them
// is a matter of placement_test.cc.
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "redactor_context.h"

namespace spangate {
namespace {

class LogContext : public RedactorContext {
  public:
    explicit LogContext(RedactConfig redact = {}) : RedactorContext(std::move(redact)) {
        become_log();
    }

    [[nodiscard]] std::string digest(std::string_view role, std::string_view canonical) const {
        std::string text(HashKey::digest_size, '\0');
        key.write_digest("acme", role, canonical, text.data());
        return text;
    }
};

const LogRecordView& log_of(const ReleasedBatch& batch) {
    return *batch.items.at(0).detail->log;
}

}  // namespace

TEST_CASE("the client's log record is untouched, the released one has its own") {
    LogContext context;
    context.log.severity_number = 9;
    context.log.observed_unix_nano = 17;
    context.log.body.value = Value::of("mail jane@example.com");
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(&log_of(batch) != &context.log);
    CHECK(context.log.body.value.text() == "mail jane@example.com");
    CHECK(log_of(batch).body.value.text() == "mail [email]");
    CHECK(log_of(batch).severity_number == 9);
    CHECK(log_of(batch).observed_unix_nano == 17);
    CHECK(batch.items[0].events[0].fields->find(FieldId::classes)->texts().size() == 3);
    CHECK(field_integer(batch.items[0], FieldId::content_length) == 32);
}

TEST_CASE("severity and event name stand as they are when they are plain names") {
    LogContext context;
    context.log.severity_text = "INFO";
    context.log.event_name = "claude_code.tool_result";
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(log_of(batch).severity_text == "INFO");
    CHECK(log_of(batch).event_name == "claude_code.tool_result");
    CHECK(batch.items[0].evidence.parts_json.empty());
    CHECK(field_integer(batch.items[0], FieldId::content_length) == -1);
}

TEST_CASE("severity and event name of any other form are content") {
    RedactConfig config;
    config.content_in_detail = "none";
    LogContext context(config);
    context.log.severity_text = "Jane is very, very angry!";
    context.log.event_name = "Jane said that it is broken and wants her money";
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(log_of(batch).severity_text.starts_with("[content, 25 bytes, digest "));
    CHECK(log_of(batch).event_name.starts_with("[content, 47 bytes, digest "));
    const std::string_view parts = batch.items[0].evidence.parts_json;
    CHECK(parts.find("\"key\":\"severity_text\"") != std::string_view::npos);
    CHECK(parts.find("\"key\":\"event_name\"") != std::string_view::npos);
}

TEST_CASE("a body is evidence with the role that the table gave it") {
    LogContext context;
    std::vector<Attribute> entries = {
        attribute("role", "user"), attribute("content", "jane@example.com")};
    context.log.body.value = Value::of(std::span<Attribute>(entries));
    context.log.body.role = ContentRole::prompt;
    context.log.body.treatment = Treatment::plain;  // whatever was said of it
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(
        batch.items[0].evidence.parts_json ==
        R"([{"key":"body","role":"prompt","media_type":"application/json",)"
        R"("content":"{\"role\":\"user\",\"content\":\"jane@example.com\"}"}])"
    );
    REQUIRE(log_of(batch).body.value.kind == ValueKind::kvlist);
    CHECK(log_of(batch).body.value.kvlist()[0].value.text() == "user");
    CHECK(log_of(batch).body.value.kvlist()[1].value.text() == "[email]");
}

TEST_CASE("a body without content is no part") {
    LogContext context;
    for (const Value& empty : {Value{}, Value::of(""), Value::of(std::span<Attribute>())}) {
        context.log.body.value = empty;
        const ReleasedBatch batch = context.redact({context.item()});
        CHECK(log_of(batch).body.value.kind == empty.kind);
        CHECK(batch.items[0].evidence.parts_json.empty());
    }
}

TEST_CASE("of a long kvlist body each long entry is cut, and its path is told") {
    LogContext context;
    const std::string text = "jane.doe@example.com " + std::string(3000, 'x');
    std::vector<Attribute> entries = {
        attribute("role", "user"), attribute("content", text), attribute("a@example.com", text)};
    context.log.body.value = Value::of(std::span<Attribute>(entries));
    context.log.body.role = ContentRole::prompt;
    const ReleasedBatch batch = context.redact({context.item()});
    REQUIRE(log_of(batch).body.value.kind == ValueKind::kvlist);
    const std::span<Attribute> cut = log_of(batch).body.value.kvlist();
    CHECK(cut[0].value.text() == "user");
    CHECK(cut[1].value.text().starts_with("[email] xxx"));
    CHECK(cut[1].value.text().ends_with(
        "…[truncated, 3021 bytes, digest " + context.digest("prompt", text) + "]"
    ));
    REQUIRE(batch.items[0].truncated.size() == 2);
    CHECK(batch.items[0].truncated[0] == "body.content");
    CHECK(batch.items[0].truncated[1] == "body.[email]");
}

TEST_CASE("a body that is long in all its entries is cut as a whole") {
    LogContext context;
    const std::string text(1000, 'x');
    std::vector<Attribute> entries(100, attribute("k", text));
    context.log.body.value = Value::of(std::span<Attribute>(entries));
    ReleasedBatch batch = context.redact({context.item()});
    CHECK(log_of(batch).body.value.text().starts_with("{\"k\":\"xxx"));
    CHECK(log_of(batch).body.value.text().size() < 2 * context.config.content_bytes_max);
    REQUIRE(batch.items[0].truncated.size() == 1);
    CHECK(batch.items[0].truncated[0] == "body");

    const std::string long_text = std::string(2044, 'x') + " jane@example.com";
    context.log.body.value = Value::of(long_text);
    const ReleasedBatch second = context.redact({context.item()});
    CHECK(log_of(second).body.value.text().starts_with(std::string(2044, 'x') + " …[truncated"));
    REQUIRE(second.items[0].truncated.size() == 1);
    CHECK(second.items[0].truncated[0] == "body");
}

TEST_CASE("without content in detail a body is told by length and digest") {
    RedactConfig config;
    config.content_in_detail = "none";
    LogContext context(config);
    std::vector<Attribute> entries = {attribute("k", "v")};
    context.log.body.value = Value::of(std::span<Attribute>(entries));
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(log_of(batch).body.value.text().starts_with("[content, "));
    CHECK(
        log_of(batch).body.value.text().find(context.digest("other", R"({"k":"v"})")) !=
        std::string_view::npos
    );
}

TEST_CASE("key rules hold for a body and inside it; an allowed body stays content") {
    RedactConfig config;
    config.keys_drop = {"password_hint"};
    config.keys_allow = {"body"};
    LogContext context(config);
    std::vector<Attribute> entries = {attribute("password_hint", "mother"), attribute("k", "v")};
    context.log.body.value = Value::of(std::span<Attribute>(entries));
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(log_of(batch).body.value.kvlist()[0].value.text() == "[dropped]");
    CHECK_FALSE(batch.items[0].evidence.parts_json.empty());

    RedactConfig dropping;
    dropping.keys_drop = {"body"};
    LogContext other(dropping);
    other.log.body.value = Value::of("text");
    CHECK(log_of(other.redact({other.item()})).body.value.text() == "[dropped]");
}

TEST_CASE("digests come from a log record's attributes, else from its body") {
    LogContext context;
    std::vector<Attribute> attributes = {
        attribute("tool_input", R"({"b":1, "a":2})", Treatment::content, ContentRole::tool_args)};
    context.log.body.value = Value::of("done");
    context.log.body.role = ContentRole::tool_result;
    context.span.attributes = attributes;
    const std::vector<EventType> types = {EventType::tool_response};
    const ReleasedBatch first = context.redact({context.item(types)});
    const ReleasedItem& item = first.items[0];
    CHECK(
        field_text(item, FieldId::args_digest) == context.digest("tool_args", R"({"a":2,"b":1})")
    );
    CHECK(field_text(item, FieldId::result_digest) == context.digest("tool_result", "done"));
    context.log.body.role = ContentRole::tool_args;
    const ReleasedBatch second = context.redact({context.item(types)});
    CHECK(
        field_text(second.items[0], FieldId::args_digest) ==
        context.digest("tool_args", R"({"a":2,"b":1})")
    );
    context.span.attributes = {};
    const ReleasedBatch third = context.redact({context.item(types)});
    CHECK(field_text(third.items[0], FieldId::args_digest) == context.digest("tool_args", "done"));
    CHECK(field_text(third.items[0], FieldId::args_shape_digest) != "(absent)");
}

TEST_CASE("log records share what is told of their resource with spans") {
    LogContext context;
    std::vector<Attribute> attributes = {attribute("owner", "jane@example.com", Treatment::plain)};
    context.resource.attributes = attributes;
    context.log.body.value = Value::of("text");
    const ReleasedBatch batch = context.redact({context.item(), context.item()});
    const auto tells = [&](std::size_t i) {
        return batch.items[i].evidence.parts_json.find("resource.owner") != std::string_view::npos;
    };
    CHECK(tells(0));
    CHECK_FALSE(tells(1));
}

}  // namespace spangate
