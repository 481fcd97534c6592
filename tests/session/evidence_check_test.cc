#include "session/evidence_check.h"

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/text.h"
#include "digest/evidence_cipher.h"

namespace spangate {
namespace {

const std::string event_id(32, 'e');

// An event with its three records, as a gateway stores them.
class Telling {
  public:
    explicit Telling(std::vector<std::string> payloads, std::string id = event_id)
        : payloads_(std::move(payloads)),
          id_(std::move(id)) {
        Sha256 root;
        root.add("spangate/evidence-root/1").add_byte(0);
        for (std::size_t i = 0; i < payloads_.size(); ++i)
            root.add(record(i).leaf(hasher_));
        commitment = to_hex(root.finish());
    }

    [[nodiscard]] StoredEvent claim(EventClass event_class, const std::string& primary = {}) const {
        return {
            event_class,
            true,
            fmt::format(
                R"({{"event_id":"{}",{}"tenant_id":"acme","session_id":"s","evidence_commitment":"{}"}})",
                primary.empty() ? id_ : std::string(32, '0'),
                primary.empty() ? "" : R"("primary_event_id":")" + primary + R"(",)",
                commitment
            )};
    }

    [[nodiscard]] StoredEvent chunk(std::size_t i) const {
        return {
            EventClass::evidence,
            true,
            fmt::format(
                R"({{"event_id":"{}","tenant_id":"acme","session_id":"s","payload":"{}","chunk":{},)"
                R"("chunks":{},"salt":"{}","commitment":"{}"{}}})",
                id_,
                to_base64(payloads_[i]),
                i,
                payloads_.size(),
                to_base64(salt),
                commitment,
                key_id.empty() ? "" : R"(,"key_id":")" + key_id + '"'
            )};
    }

    std::string commitment;
    std::string key_id;

  private:
    [[nodiscard]] EvidenceRecord record(std::size_t i) const {
        EvidenceRecord made;
        made.event_id = id_;
        made.index = static_cast<std::uint32_t>(i);
        made.count = static_cast<std::uint32_t>(payloads_.size());
        made.salt = salt;
        made.payload = payloads_[i];
        return made;
    }

    inline static const std::string salt = std::string(32, '\7');
    const std::vector<std::string> payloads_;
    const std::string id_;
    Sha256 hasher_;
};

EvidenceReport check(
    const std::vector<StoredEvent>& events,
    EvidenceOpener* opener = nullptr,
    const EvidenceKeyStore* newest = nullptr,
    EventReach* reach = nullptr
) {
    EvidenceCheck made(opener);
    for (const StoredEvent& event : events)
        made.add(event);
    return made.finish(newest, reach);
}

StoredEvent with(StoredEvent event, const std::string& old_text, const std::string& new_text) {
    const std::size_t at = event.value.find(old_text);
    REQUIRE(at != std::string::npos);
    event.value.replace(at, old_text.size(), new_text);
    return event;
}

TEST_CASE("evidence that is whole and committed to matches, in any order and twice stored") {
    const Telling telling({"one", "two", "three"});
    const EvidenceReport report = check(
        {telling.chunk(2),
         telling.claim(EventClass::detail),
         telling.chunk(0),
         telling.chunk(1),
         telling.chunk(0),
         telling.claim(EventClass::operational)}
    );
    CHECK(report.is_clean());
    CHECK(report.count(EvidenceVerdict::match) == 1);
    CHECK(report.tellings() == 1);
    CHECK(report.chunks == 3);
}

TEST_CASE("another event of the item names the primary one's evidence") {
    const Telling telling({"one"});
    const EvidenceReport report =
        check({telling.chunk(0), telling.claim(EventClass::operational, event_id)});
    CHECK(report.count(EvidenceVerdict::match) == 1);
}

TEST_CASE("a changed payload, salt, number or commitment is a mismatch") {
    const Telling telling({"one", "two"});
    const StoredEvent claim = telling.claim(EventClass::operational);
    const auto verdict_with = [&](const StoredEvent& first, const StoredEvent& second) {
        const EvidenceReport report = check({first, second, claim});
        CHECK_FALSE(report.is_clean());
        return report.findings.at(0).verdict;
    };
    const StoredEvent first = telling.chunk(0);
    const StoredEvent second = telling.chunk(1);
    CHECK(
        verdict_with(with(first, to_base64("one"), to_base64("One")), second) ==
        EvidenceVerdict::mismatch
    );
    CHECK(
        verdict_with(with(first, "\"salt\":\"B", "\"salt\":\"C"), second) ==
        EvidenceVerdict::mismatch
    );
    CHECK(
        verdict_with(
            with(first, "\"chunk\":0", "\"chunk\":1"), with(second, "\"chunk\":1", "\"chunk\":0")
        ) == EvidenceVerdict::mismatch
    );
    CHECK(
        verdict_with(with(first, "\"chunks\":2", "\"chunks\":1"), second) ==
        EvidenceVerdict::mismatch
    );
}

TEST_CASE("what is missing is told for what it is") {
    const Telling telling({"one", "two"});
    const StoredEvent claim = telling.claim(EventClass::operational);
    CHECK(check({telling.chunk(0), claim}).count(EvidenceVerdict::missing_chunk) == 1);
    CHECK(check({claim}).count(EvidenceVerdict::missing_evidence) == 1);
    CHECK(check({telling.chunk(0), telling.chunk(1)}).count(EvidenceVerdict::unclaimed) == 1);
    const std::string other(64, '0');
    const EvidenceReport report =
        check({telling.chunk(0), telling.chunk(1), with(claim, telling.commitment, other)});
    CHECK(report.count(EvidenceVerdict::unclaimed) == 1);
    CHECK(report.count(EvidenceVerdict::mismatch) == 1);
    CHECK(check({{EventClass::evidence, true, "{}"}}).damaged == 1);
    CHECK(check({{EventClass::evidence, false, "\xFF\xFF"}}).damaged == 1);
}

// Each class reaches back to a time of its own.
class ReachSince final : public EventReach {
  public:
    Reach of(
        EventClass event_class,
        std::string_view tenant_id,
        std::int32_t partition,
        WallNanos received_at
    ) override {
        CHECK(tenant_id == "acme");
        CHECK(partition == 3);
        return received_at < since.at(event_class) ? Reach::gone : Reach::holds;
    }

    std::map<EventClass, WallNanos> since{
        {EventClass::operational, 0}, {EventClass::detail, 0}, {EventClass::evidence, 0}};
};

StoredEvent received(StoredEvent event, WallNanos at) {
    event.received_at = at;
    event.partition = 3;
    return event;
}

TEST_CASE("what expired is told from what is missing, and where that cannot be known it is said") {
    const Telling telling({"one", "two"});
    const StoredEvent claim = received(telling.claim(EventClass::detail), 100);
    ReachSince reach;
    EvidenceReport report = check({claim}, nullptr, nullptr, &reach);
    CHECK(report.count(EvidenceVerdict::missing_evidence) == 1);
    CHECK(report.findings.at(0).text.find("has not expired") != std::string::npos);

    reach.since[EventClass::evidence] = 200;
    report = check({claim}, nullptr, nullptr, &reach);
    CHECK(report.is_clean());
    CHECK(report.count(EvidenceVerdict::expired) == 1);
    CHECK(report.newest_expired == 100);
    CHECK(
        check({claim, received(telling.chunk(1), 100)}, nullptr, nullptr, &reach)
            .count(EvidenceVerdict::expired) == 1
    );

    report = check({claim});
    CHECK(report.count(EvidenceVerdict::missing_evidence) == 1);
    CHECK(report.findings.at(0).text.find("cannot be known") != std::string::npos);
}

TEST_CASE("evidence that outlives both of its records is expired, not unclaimed") {
    const Telling telling({"one"});
    const StoredEvent chunk = received(telling.chunk(0), 100);
    ReachSince reach;
    reach.since[EventClass::operational] = 200;
    CHECK(check({chunk}, nullptr, nullptr, &reach).count(EvidenceVerdict::unclaimed) == 1);
    reach.since[EventClass::detail] = 200;
    CHECK(check({chunk}, nullptr, nullptr, &reach).count(EvidenceVerdict::expired) == 1);
}

class SealedContext {
  public:
    SealedContext() {
        tenants = *TenantKeys::parse(
            "tenants: {acme: [{id: k1, key: " + std::string(64, 'a') + "}]}", "k"
        );
        stored.key_id = "data-key";
        stored.tenant_id = "acme";
        stored.per = KeyScope::session;
        stored.subject = "s";
        wrap(key, *tenants->newest("acme"), stored);
    }

    [[nodiscard]] Telling seal(const AesKey& with_key, const std::string& text) const {
        std::string room(text.size() + seal_bytes, '\0');
        text.copy(room.data() + AesGcm::nonce_size, text.size());
        EvidenceCipher().seal(with_key, 0, {"acme", event_id, 0, 1}, room);
        Telling telling({room});
        telling.key_id = stored.key_id;
        return telling;
    }

    AesKey key = AesKey::random();
    std::shared_ptr<const TenantKeys> tenants;
    StoredDataKey stored;
};

TEST_CASE("sealed evidence decrypts with its keys, and is erased without them") {
    const SealedContext context;
    const Telling telling = context.seal(context.key, "content");
    const std::vector<StoredEvent> events = {telling.chunk(0), telling.claim(EventClass::detail)};
    EvidenceKeyStore store;
    store.add("data-key", to_json(context.stored));
    REQUIRE(store.size() == 1);
    EvidenceOpener opener(store, context.tenants.get());
    EvidenceReport report = check(events, &opener, &store);
    CHECK(report.count(EvidenceVerdict::match) == 1);
    CHECK(report.decrypted == 1);

    EvidenceOpener without_tenant_key(store, nullptr);
    report = check(events, &without_tenant_key, &store);
    CHECK(report.count(EvidenceVerdict::match) == 1);
    CHECK(report.decrypted == 0);

    EvidenceKeyStore tombstoned;
    tombstoned.add("data-key", to_json(context.stored));
    tombstoned.add("data-key", "");
    CHECK(tombstoned.size() == 0);
    EvidenceOpener empty(tombstoned, context.tenants.get());
    report = check(events, &empty, &tombstoned);
    CHECK(report.is_clean());
    CHECK(report.count(EvidenceVerdict::erased) == 1);
    // A key that came after the first look.
    CHECK(check(events, &empty, &store).count(EvidenceVerdict::match) == 1);
    CHECK(check(events, nullptr, nullptr).count(EvidenceVerdict::match) == 1);
}

TEST_CASE("evidence sealed with a key that was erased long before is counted") {
    const SealedContext context;
    const Telling telling = context.seal(context.key, "content");
    EvidenceKeyStore store;
    store.add("data-key", to_json(context.stored), 1);
    constexpr WallNanos erased_at = 1'000'000'000'000;
    store.add("data-key", "", erased_at);
    EvidenceOpener opener(store, context.tenants.get());
    const auto sealed_at = [&](WallNanos at) {
        const EvidenceReport report = check(
            {received(telling.chunk(0), at), telling.claim(EventClass::detail)}, &opener, &store
        );
        CHECK(report.count(EvidenceVerdict::erased) == 1);
        return report.sealed_after_erasure;
    };
    CHECK(sealed_at(erased_at - 1) == 0);
    CHECK(sealed_at(erased_at + EvidenceCheck::hearing_time) == 0);
    CHECK(sealed_at(erased_at + EvidenceCheck::hearing_time + 1) == 1);
}

TEST_CASE("evidence that another key has sealed is told as undecryptable") {
    const SealedContext context;
    const Telling telling = context.seal(AesKey::random(), "content");
    EvidenceKeyStore store;
    store.add("data-key", to_json(context.stored));
    EvidenceOpener opener(store, context.tenants.get());
    const EvidenceReport report =
        check({telling.chunk(0), telling.claim(EventClass::detail)}, &opener, &store);
    CHECK(report.count(EvidenceVerdict::undecryptable) == 1);
}

TEST_CASE("the key store takes keys, forgets erased ones and counts what is none") {
    const SealedContext context;
    EvidenceKeyStore store;
    store.add("data-key", to_json(context.stored));
    store.add("other", to_json(context.stored));  // not the key it says
    store.add("none", "{}");
    store.add("none", "no JSON");
    CHECK(store.damaged() == 3);
    CHECK(store.of("acme", KeyScope::session, "s").size() == 1);
    CHECK(store.of("acme", KeyScope::user, "s").empty());
    CHECK(store.of("acme").size() == 1);
    CHECK(store.of("other").empty());
    CHECK(store.find("data-key")->wrapped == context.stored.wrapped);
}

// A reader over what a test has.
class ListReader final : public EventReader {
  public:
    explicit ListReader(std::vector<StoredEvent> events) : events_(std::move(events)) {}

    Result<ReadState> next(StoredEvent& event) override {
        if (at_ == events_.size()) return ReadState::end;
        event = events_[at_++];
        return ReadState::event;
    }

    [[nodiscard]] std::uint64_t damaged() const override { return 0; }

  private:
    std::vector<StoredEvent> events_;
    std::size_t at_ = 0;
};

TEST_CASE("evidence is read back joined, and says what does not open") {
    const SealedContext context;
    const Telling clear({"[{\"key\"", ":\"a\"}]"}, std::string(32, 'c'));
    const Telling sealed = context.seal(context.key, "[]");
    const EvidenceKeyStore no_keys;
    EvidenceOpener opener(no_keys, context.tenants.get());
    ListReader reader({clear.chunk(1), sealed.chunk(0), clear.chunk(0)});
    const auto contents = read_evidence(reader, opener);
    REQUIRE(contents);
    REQUIRE(contents->size() == 2);
    CHECK((*contents)[0].parts_json == R"([{"key":"a"}])");
    CHECK((*contents)[0].is_whole);
    CHECK((*contents)[1].opening == Opening::no_data_key);
    CHECK((*contents)[1].parts_json.empty());
}

}  // namespace
}  // namespace spangate
