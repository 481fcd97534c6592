#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "digest/evidence_cipher.h"
#include "digest/sha256.h"
#include "redactor_context.h"

namespace spangate {
namespace {

std::shared_ptr<const TenantKeys> tenant_keys(const std::string& tenant = "default") {
    auto keys = TenantKeys::parse(
        "tenants: {" + tenant + ": [{id: k1, key: " + std::string(64, 'a') + "}]}", "k"
    );
    REQUIRE(keys);
    return *keys;
}

class SealingContext : public RedactorContext {
  public:
    explicit SealingContext(
        KeyScope per = KeyScope::session,
        EvidenceConfig evidence = {},
        std::shared_ptr<const TenantKeys> tenants = tenant_keys()
    )
        : RedactorContext({}, std::move(evidence)),
          keys(std::make_shared<EvidenceKeys>(std::move(tenants), per, std::chrono::hours(1))) {
        redactor.send_evidence(keys, &limits);
        attributes = {
            attribute("prompt", "Jane's secret", Treatment::content, ContentRole::prompt)};
        span.attributes = attributes;
    }

    // All chunks, opened by the key of `subject`.
    [[nodiscard]] std::string open(
        const ReleasedItem& item, KeyScope per, const std::string& subject
    ) const {
        const auto data_key = keys->key_for(per, "acme", subject, 0);
        CHECK(data_key->id() == item.evidence.key_id);
        EvidenceCipher cipher;
        std::string text;
        for (std::uint32_t i = 0; i < item.evidence.chunks; ++i) {
            const std::string_view payload = item.evidence.bytes().substr(
                std::size_t{i} * item.evidence.chunk_bytes, item.evidence.chunk_bytes
            );
            const auto opened = cipher.open(
                data_key->key(), {"acme", std::string(32, 'a'), i, item.evidence.chunks}, payload
            );
            REQUIRE(opened);
            text += *opened;
        }
        return text;
    }

    std::shared_ptr<EvidenceKeys> keys;
    RecordLimits limits;
    std::vector<Attribute> attributes;
};

constexpr std::string_view parts =
    R"([{"key":"prompt","role":"prompt","media_type":"text/plain","content":"Jane's secret"}])";

TEST_CASE("sealed evidence has no part in clear and opens with its subject's key") {
    SealingContext context;
    const ReleasedBatch batch = context.redact({context.item()});
    const EvidencePayload& evidence = batch.items[0].evidence;
    CHECK(evidence.parts_json.empty());
    CHECK(evidence.sealed_chunks.find("secret") == std::string_view::npos);
    CHECK(evidence.sealed_chunks.size() == parts.size() + seal_bytes);
    REQUIRE(evidence.key_record != nullptr);
    CHECK(evidence.key_record->key_id == evidence.key_id);
    CHECK(context.open(batch.items[0], KeyScope::session, "session-1") == parts);
}

TEST_CASE("the commitment is over what is stored, so that it holds without the key") {
    SealingContext context;
    const ReleasedBatch batch = context.redact({context.item()});
    const EvidencePayload& evidence = batch.items[0].evidence;
    Sha256 leaf;
    leaf.add("spangate/evidence/1").add_byte(0).add(std::string(32, 'a'));
    leaf.add_u32be(0).add_u32be(1).add(evidence.salt).add(evidence.sealed_chunks);
    Sha256 root;
    root.add("spangate/evidence-root/1").add_byte(0).add(leaf.finish());
    const std::string commitment = to_hex(root.finish());
    CHECK(std::string(evidence.commitment.begin(), evidence.commitment.end()) == commitment);
    CHECK(field_text(batch.items[0], FieldId::evidence_commitment) == commitment);
}

TEST_CASE("chunks are cut before they are sealed, whatever their number") {
    for (const std::uint64_t chunk_bytes : {1U, 2U, 7U, 84U, 85U, 86U, 1000U}) {
        EvidenceConfig config;
        config.chunk_bytes_max = chunk_bytes;
        SealingContext context(KeyScope::session, config);
        const ReleasedBatch batch = context.redact({context.item()});
        CHECK(batch.items[0].evidence.chunks == (parts.size() + chunk_bytes - 1) / chunk_bytes);
        CHECK(context.open(batch.items[0], KeyScope::session, "session-1") == parts);
    }
}

TEST_CASE("chunks are smaller where the topic takes less, and never above the configuration") {
    EvidenceConfig config;
    SealingContext context(KeyScope::session, config);
    const std::string text(100'000, 'x');
    context.attributes = {attribute("prompt", text)};
    const auto chunks_with = [&](std::uint64_t limit) {
        context.limits.evidence_bytes = limit;
        return context.redact({context.item()}).items[0].evidence.chunks;
    };
    CHECK(chunks_with(0) == 1);
    CHECK(chunks_with(1'048'000) == 1);
    CHECK(chunks_with(65'536) == 5);  // (65,536 − 8,192) × 3/7 = 24,576 bytes each
    CHECK(chunks_with(1'000) == 98);  // never below 1 KiB
}

TEST_CASE("a stored key need not travel again, and a batch has one key for a subject") {
    SealingContext context;
    const ReleasedBatch first = context.redact({context.item(), context.item()});
    REQUIRE(first.items[0].evidence.key_record != nullptr);
    CHECK(first.items[0].evidence.key_record == first.items[1].evidence.key_record);
    first.items[0].evidence.key_record->is_stored = true;
    const ReleasedBatch second = context.redact({context.item()});
    CHECK(second.items[0].evidence.key_record == nullptr);
    CHECK(second.items[0].evidence.key_id == first.items[0].evidence.key_id);
    CHECK(second.items[0].evidence.sealed_chunks != first.items[0].evidence.sealed_chunks);
}

TEST_CASE("per user, what has no user belongs to its session") {
    SealingContext context(KeyScope::user);
    AgentItem known = context.item();
    known.user_id = "jane";
    const ReleasedBatch batch = context.redact({known, context.item()});
    CHECK(batch.items[0].evidence.key_id != batch.items[1].evidence.key_id);
    const std::string user_ref = field_text(batch.items[0], FieldId::user_ref);
    CHECK(context.open(batch.items[0], KeyScope::user, user_ref) == parts);
    CHECK(context.open(batch.items[1], KeyScope::session, "session-1") == parts);
}

TEST_CASE("evidence of a tenant without a key is withheld and counted, never in clear") {
    SealingContext context(KeyScope::tenant, {}, tenant_keys("somebody"));
    const ReleasedBatch batch = context.redact({context.item()});
    CHECK(batch.items[0].evidence.empty());
    CHECK(field_text(batch.items[0], FieldId::evidence_commitment) == "(absent)");
    CHECK(batch.items[0].events[0].fields->find(FieldId::classes)->texts().size() == 2);
    CHECK(context.metrics.counter("spangate_evidence_withheld_total", "").value() == 1);
}

}  // namespace
}  // namespace spangate
