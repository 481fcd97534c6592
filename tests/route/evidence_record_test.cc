// Evidence as records: what stands on them, and what a client's success waits for.
#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/slab.h"
#include "redact/redactor_context.h"
#include "route/router.h"
#include "support/record_builder.h"

namespace spangate {
namespace {

class EvidenceContext : public RedactorContext {
  public:
    explicit EvidenceContext(EventEncoding encoding = EventEncoding::json)
        : router(route_config, encoding, identity, slabs, metrics) {
        attributes = {
            attribute("prompt", "Jane's secret", Treatment::content, ContentRole::prompt)};
        span.attributes = attributes;
    }

    void seal() {
        auto tenants = TenantKeys::parse(
            "tenants: {default: [{id: k1, key: " + std::string(64, 'a') + "}]}", "k"
        );
        REQUIRE(tenants);
        redactor.send_evidence(
            std::make_shared<EvidenceKeys>(*tenants, KeyScope::session, std::chrono::hours(1)),
            nullptr
        );
    }

    // The records of `items` items of one request.
    std::vector<OutboundRecord*> route(std::size_t items, Ticket* ticket) {
        std::vector<AgentItem> made;
        for (std::size_t i = 0; i < items; ++i) {
            made.push_back(item());
            made.back().ticket = ticket;
        }
        const ReleasedBatch batch = redact(std::move(made));
        const RecordBatch records = router.route(batch);
        return {records.records.begin(), records.records.end()};
    }

    static void settle(OutboundRecord* record, Settlement settlement = Settlement::stored) {
        record->ticket->settle(settlement, "the test said so");
        record->done();
    }

    RouteConfig route_config;
    GatewayIdentity identity{"test-1", "0123456789ab", "0123"};
    SlabPool slabs;
    Router router;
    std::vector<Attribute> attributes;
};

std::vector<OutboundRecord*> keys_in(const std::vector<OutboundRecord*>& records) {
    std::vector<OutboundRecord*> keys;
    std::copy_if(records.begin(), records.end(), std::back_inserter(keys), [](const auto* record) {
        return record->is_evidence_key;
    });
    return keys;
}

bool has(const OutboundRecord* record, std::string_view text) {
    return record->value_view().find(text) != std::string_view::npos;
}

TEST_CASE("sealed evidence names its key and shows no part outside the payload") {
    for (const EventEncoding encoding : {EventEncoding::json, EventEncoding::protobuf}) {
        EvidenceContext context(encoding);
        context.seal();
        const testing::TicketAndAnswer client = testing::make_ticket();
        const auto records = context.route(1, client.ticket);
        REQUIRE(records.size() == 4);
        const OutboundRecord* const key = records[2];
        CHECK(key->is_evidence_key);
        CHECK_FALSE(has(key, "Jane's secret"));
        CHECK_FALSE(has(records[3], "Jane's secret"));
        CHECK(has(records[3], key->key));
        CHECK_FALSE(has(records[3], "\"parts\""));
        for (OutboundRecord* record : records)
            EvidenceContext::settle(record);
        client.ticket->settle(Settlement::stored);
        CHECK(client.answer->outcome.is_success);
    }
}

TEST_CASE("evidence in clear has its parts and no key") {
    EvidenceContext context;
    const testing::TicketAndAnswer client = testing::make_ticket();
    const auto records = context.route(1, client.ticket);
    REQUIRE(records.size() == 3);
    CHECK(has(records[2], R"("parts":[{"key":"prompt")"));
    CHECK_FALSE(has(records[2], "\"key_id\""));
    for (OutboundRecord* record : records)
        EvidenceContext::settle(record);
    client.ticket->settle(Settlement::stored);
}

TEST_CASE("a new key stands beside its evidence once for a request, under its own id") {
    EvidenceContext context;
    context.seal();
    const testing::TicketAndAnswer client = testing::make_ticket();
    const auto records = context.route(3, client.ticket);
    const auto keys = keys_in(records);
    REQUIRE(keys.size() == 1);
    CHECK(keys[0]->key.size() == 32);
    CHECK(has(keys[0], keys[0]->key));
    CHECK(keys[0]->tenant_id == "acme");
    CHECK(keys[0]->seq_offset == 0);
    CHECK_FALSE(keys[0]->starts_event);
    CHECK(keys[0]->session_hash == records[0]->session_hash);
    for (OutboundRecord* record : records)
        EvidenceContext::settle(record);
    client.ticket->settle(Settlement::stored);
}

TEST_CASE("a client waits for the key of its evidence, and a stored key need not come again") {
    EvidenceContext context;
    context.seal();
    const testing::TicketAndAnswer first = testing::make_ticket();
    const testing::TicketAndAnswer meanwhile = testing::make_ticket();
    const auto records = context.route(1, first.ticket);
    const auto others = context.route(1, meanwhile.ticket);
    CHECK(keys_in(others).size() == 1);  // nobody knows yet that it is stored
    first.ticket->settle(Settlement::stored);
    for (OutboundRecord* record : records) {
        if (!record->is_evidence_key) EvidenceContext::settle(record);
    }
    CHECK(first.answer->answers() == 0);
    EvidenceContext::settle(keys_in(records)[0]);
    CHECK(first.answer->answers() == 1);
    CHECK(first.answer->outcome.is_success);

    const testing::TicketAndAnswer later = testing::make_ticket();
    const auto last = context.route(1, later.ticket);
    CHECK(keys_in(last).empty());
    for (OutboundRecord* record : others)
        EvidenceContext::settle(record);
    for (OutboundRecord* record : last)
        EvidenceContext::settle(record);
    meanwhile.ticket->settle(Settlement::stored);
    later.ticket->settle(Settlement::stored);
    CHECK(later.answer->outcome.is_success);
}

TEST_CASE("a key that is not stored makes the request one to repeat, and comes again") {
    EvidenceContext context;
    context.seal();
    const testing::TicketAndAnswer client = testing::make_ticket();
    for (OutboundRecord* record : context.route(1, client.ticket)) {
        EvidenceContext::settle(
            record, record->is_evidence_key ? Settlement::retry_later : Settlement::stored
        );
    }
    client.ticket->settle(Settlement::stored);
    CHECK_FALSE(client.answer->outcome.is_success);
    CHECK(client.answer->outcome.code == ErrorCode::unavailable);
    const testing::TicketAndAnswer again = testing::make_ticket();
    const auto records = context.route(1, again.ticket);
    CHECK(keys_in(records).size() == 1);
    for (OutboundRecord* record : records)
        EvidenceContext::settle(record);
    again.ticket->settle(Settlement::stored);
    CHECK(again.answer->outcome.is_success);
}

TEST_CASE("where evidence is not required nobody waits for its key, which is written all the same"
) {
    EvidenceContext context;
    context.seal();
    context.route_config.evidence_required = false;
    const testing::TicketAndAnswer client = testing::make_ticket();
    const auto records = context.route(1, client.ticket);
    REQUIRE(keys_in(records).size() == 1);
    for (OutboundRecord* record : records) {
        if (record->event_class != EventClass::evidence) EvidenceContext::settle(record);
    }
    client.ticket->settle(Settlement::stored);
    CHECK(client.answer->outcome.is_success);
    EvidenceContext::settle(keys_in(records)[0], Settlement::retry_later);
    for (OutboundRecord* record : records) {
        if (record->event_class == EventClass::evidence && !record->is_evidence_key) record->done();
    }
}

}  // namespace
}  // namespace spangate
