#include <algorithm>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <openssl/evp.h>
#include <simdjson.h>

#include "base/text.h"
#include "redactor_context.h"

namespace spangate {
namespace {

// An independent telling of contract §6.
std::string sha256(const std::string& bytes) {
    std::string digest(32, '\0');
    unsigned size = 0;
    EVP_Digest(
        bytes.data(),
        bytes.size(),
        reinterpret_cast<unsigned char*>(digest.data()),  // NOLINT: OpenSSL's byte type
        &size,
        EVP_sha256(),
        nullptr
    );
    return digest;
}

std::string u32be(std::uint32_t number) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes += static_cast<char>(number >> shift & 0xFF);
    return bytes;
}

std::string commitment_of(const EvidencePayload& evidence, const std::string& event_id) {
    std::string root("spangate/evidence-root/1\0", 25);
    const std::string salt(evidence.salt.begin(), evidence.salt.end());
    for (std::uint32_t i = 0; i < evidence.chunks; ++i) {
        const std::string payload(
            evidence.parts_json.substr(std::size_t{i} * evidence.chunk_bytes, evidence.chunk_bytes)
        );
        root += sha256(
            std::string("spangate/evidence/1\0", 20) + event_id + u32be(i) +
            u32be(evidence.chunks) + salt + payload
        );
    }
    const std::string digest = sha256(root);
    return to_hex({reinterpret_cast<const std::uint8_t*>(digest.data()), digest.size()});  // NOLINT
}

TEST_CASE("parts are JSON with key, role, media type and content, in the order of the span") {
    RedactorContext context;
    std::vector<Attribute> event_attributes = {
        attribute("exception.message", "it \"broke\"\n", Treatment::content, ContentRole::error)};
    std::vector<SpanEventView> events(1);
    events[0].name = "exception";
    events[0].attributes = event_attributes;
    std::vector<Value> items = {Value::of(std::int64_t{1}), Value::of(std::string_view("x"))};
    std::vector<Attribute> attributes = {
        attribute("prompt", R"([{"role":"user"}])", Treatment::content, ContentRole::prompt),
        attribute("list", Value::of(std::span<const Value>(items))),
        attribute("bad", "a\xFFz"),
        attribute("model", "gpt-4.1", Treatment::mapped)};
    context.span.attributes = attributes;
    context.span.events = events;
    context.span.status_message = "failed";
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(
        batch.items[0].evidence.parts_json ==
        R"([{"key":"status_message","role":"error","media_type":"text/plain","content":"failed"},)"
        R"({"key":"prompt","role":"prompt","media_type":"application/json","content":"[{\"role\":\"user\"}]"},)"
        R"({"key":"list","role":"other","media_type":"application/json","content":"[1,\"x\"]"},)"
        "{\"key\":\"bad\",\"role\":\"other\",\"media_type\":\"text/"
        "plain\",\"content\":\"a\xEF\xBF\xBDz\"},"
        R"({"key":"event:exception[0].exception.message","role":"error","media_type":"text/plain","content":"it \"broke\"\n"}])"
    );
}

TEST_CASE("the commitment is what anyone can compute from payload and salt") {
    RedactorContext context;
    std::vector<Attribute> attributes = {attribute("a", "some content")};
    context.span.attributes = attributes;
    const ReleasedBatch batch =
        context.redact({context.item({EventType::tool_request, EventType::tool_response})});
    const ReleasedItem& item = batch.items[0];
    CHECK(item.evidence.chunks == 1);
    CHECK(item.evidence.chunk_bytes == item.evidence.parts_json.size());
    const std::string commitment(item.evidence.commitment.begin(), item.evidence.commitment.end());
    CHECK(commitment == commitment_of(item.evidence, std::string(32, 'b')));
    CHECK(field_text(item, FieldId::evidence_commitment, 0) == commitment);
    CHECK(field_text(item, FieldId::evidence_commitment, 1) == commitment);
    CHECK(item.events[0].fields->find(FieldId::classes)->texts().size() == 3);
}

TEST_CASE("a payload above the limit is cut into chunks of exact size") {
    EvidenceConfig evidence;
    evidence.chunk_bytes_max = 100;
    RedactorContext context({}, evidence);
    const std::string text(1000, 'x');
    std::vector<Attribute> attributes = {attribute("a", text)};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact({context.item()});
    const EvidencePayload& payload = batch.items[0].evidence;
    CHECK(payload.chunk_bytes == 100);
    CHECK(payload.chunks == (payload.parts_json.size() + 99) / 100);
    const std::string commitment(payload.commitment.begin(), payload.commitment.end());
    CHECK(commitment == commitment_of(payload, std::string(32, 'a')));
}

TEST_CASE("without evidence nothing is committed to, and content is still redacted") {
    EvidenceConfig evidence;
    evidence.enabled = false;
    RedactorContext context({}, evidence);
    std::vector<Attribute> attributes = {attribute("a", "jane@example.com")};
    context.span.attributes = attributes;
    const ReleasedBatch batch = context.redact({context.item()});
    const ReleasedItem& item = batch.items[0];
    CHECK(item.evidence.parts_json.empty());
    CHECK(field_text(item, FieldId::evidence_commitment) == "(absent)");
    CHECK(text_of(item, "a") == "[email]");
    CHECK(field_integer(item, FieldId::content_length) == 16);
}

TEST_CASE("no two items share a salt") {
    RedactorContext context;
    std::vector<Attribute> attributes = {attribute("a", "content")};
    context.span.attributes = attributes;
    std::vector<AgentItem> items;
    for (int i = 0; i < 200; ++i)
        items.push_back(context.item());
    const ReleasedBatch batch = context.redact(std::move(items));
    std::vector<std::array<std::uint8_t, 32>> salts;
    for (const ReleasedItem& item : batch.items)
        salts.push_back(item.evidence.salt);
    std::sort(salts.begin(), salts.end());
    CHECK(std::adjacent_find(salts.begin(), salts.end()) == salts.end());
}

}  // namespace
}  // namespace spangate
