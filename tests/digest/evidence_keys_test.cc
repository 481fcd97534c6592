#include "digest/evidence_keys.h"

#include <set>
#include <string>
#include <thread>
#include <vector>

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "base/text.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

constexpr WallNanos second = 1'000'000'000;
const std::string hex_a(64, 'a');
const std::string hex_b(64, 'b');

std::shared_ptr<const TenantKeys> tenant_keys(const std::string& text) {
    auto keys = TenantKeys::parse(text, "keys.yaml");
    INFO((keys ? "" : keys.error().message));
    REQUIRE(keys);
    return *keys;
}

const std::string two_tenants =
    "tenants:\n  acme:\n    - {id: acme-2, key: " + hex_b + "}\n    - {id: acme-1, key: " + hex_a +
    "}\n  default: [{id: d, key: " + to_base64(std::string(32, 'k')) + "}]\n";

std::string fault_of(const std::string& text) {
    const auto keys = TenantKeys::parse(text, "k");
    return keys ? "" : keys.error().message;
}

// What a reader has: the record's facts.
StoredDataKey stored_key(const TenantKeys& tenants, const AesKey& key) {
    StoredDataKey stored;
    stored.key_id = "key-1";
    stored.tenant_id = "acme";
    stored.per = KeyScope::session;
    stored.subject = "s-1";
    wrap(key, *tenants.newest("acme"), stored);
    return stored;
}

TEST_CASE("a tenant's first key wraps, every one unwraps, and others have the default's") {
    const auto keys = tenant_keys(two_tenants);
    CHECK(keys->newest("acme")->id == "acme-2");
    CHECK(keys->newest("other")->id == "d");
    CHECK(keys->find("acme-1")->key.bytes()[0] == 0xAA);
    CHECK(keys->find("d")->key.bytes()[31] == 'k');
    CHECK(keys->find("gone") == nullptr);
    const auto no_default = tenant_keys("tenants: {acme: [{id: a, key: " + hex_a + "}]}");
    CHECK(no_default->newest("other") == nullptr);
}

TEST_CASE("a key file says what is wrong with it, and never a key") {
    CHECK(
        fault_of("tenants: {a: [{id: x, key: " + hex_a.substr(1) + "}]}").find("32 bytes") !=
        std::string::npos
    );
    CHECK(
        fault_of("tenants: {a: [{id: x, key: " + hex_a.substr(1) + "}]}").find("aaa") ==
        std::string::npos
    );
    CHECK(fault_of("tenants: {a: []}").find("newest first") != std::string::npos);
    CHECK(fault_of("tenants: {}").find("wants one key") != std::string::npos);
    CHECK(fault_of("keys: {}").find("wants one key") != std::string::npos);
    CHECK(fault_of("tenants: {a: [{id: x}]}").find("id and key") != std::string::npos);
    CHECK(
        fault_of("tenants: {a: [{id: x y, key: " + hex_a + "}]}").find("an id is") !=
        std::string::npos
    );
    const std::string one = "{id: x, key: " + hex_a + "}";
    CHECK(fault_of("tenants: {a: [" + one + ", " + one + "]}").find("twice") != std::string::npos);
}

TEST_CASE("a key file that others may read or change is refused") {
    const TemporaryDirectory directory;
    const std::string path = directory.file("keys.yaml", two_tenants);
    for (const ::mode_t mode : {0600U, 0400U, 0440U, 0640U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        CHECK(TenantKeys::load(path));
    }
    for (const ::mode_t mode : {0644U, 0604U, 0602U, 0660U, 0777U}) {
        REQUIRE(::chmod(path.c_str(), mode) == 0);
        const auto keys = TenantKeys::load(path);
        REQUIRE_FALSE(keys);
        CHECK(keys.error().code == ErrorCode::permission_denied);
    }
    CHECK_FALSE(TenantKeys::load(path + ".none"));
}

TEST_CASE("a wrapped key opens with its tenant key, for its subject, unchanged") {
    const auto tenants = tenant_keys(two_tenants);
    const AesKey key = AesKey::random();
    const StoredDataKey stored = stored_key(*tenants, key);
    CHECK(stored.wrapping_key_id == "acme-2");
    CHECK(stored.wrapped.size() == 60);
    const auto opened = unwrap(stored, *tenants);
    REQUIRE(opened);
    CHECK(std::equal(key.bytes().begin(), key.bytes().end(), opened->bytes().begin()));

    const auto opens = [&](auto change) {
        StoredDataKey changed = stored;
        change(changed);
        return unwrap(changed, *tenants).has_value();
    };
    CHECK_FALSE(opens([](StoredDataKey& k) { k.key_id = "key-2"; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.tenant_id = "other"; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.per = KeyScope::user; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.subject = "s-2"; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.wrapping_key_id = "acme-1"; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.wrapping_key_id = "gone"; }));
    CHECK_FALSE(opens([](StoredDataKey& k) { k.wrapped.pop_back(); }));
    for (std::size_t i = 0; i < stored.wrapped.size(); ++i)
        CHECK_FALSE(opens([i](StoredDataKey& k) {
            k.wrapped[i] = static_cast<char>(k.wrapped[i] ^ 1);
        }));
}

TEST_CASE("after a new tenant key came first the old one still unwraps") {
    const auto before = tenant_keys("tenants: {acme: [{id: acme-1, key: " + hex_a + "}]}");
    const StoredDataKey stored = stored_key(*before, AesKey::random());
    CHECK(unwrap(stored, *tenant_keys(two_tenants)));
    const auto without = tenant_keys("tenants: {acme: [{id: acme-2, key: " + hex_b + "}]}");
    CHECK_FALSE(unwrap(stored, *without));
}

TEST_CASE("a subject keeps its data key until it is spent, and no two share one") {
    EvidenceKeys keys(tenant_keys(two_tenants), KeyScope::session, std::chrono::seconds(10));
    const auto first = keys.key_for(KeyScope::session, "acme", "s-1", 0);
    CHECK(keys.key_for(KeyScope::session, "acme", "s-1", 9 * second) == first);
    CHECK(keys.key_for(KeyScope::session, "acme", "s-2", 0) != first);
    CHECK(keys.key_for(KeyScope::session, "other", "s-1", 0) != first);
    CHECK(keys.key_for(KeyScope::user, "acme", "s-1", 0) != first);
    CHECK(first->is_spent(10 * second));
    const auto second_key = keys.key_for(KeyScope::session, "acme", "s-1", 10 * second);
    CHECK(second_key != first);
    CHECK(second_key->id() != first->id());

    CHECK(first->take_nonces(3) == 0);
    CHECK(first->take_nonces(1) == 3);
    CHECK_FALSE(first->is_spent(0));
    (void)first->take_nonces(DataKey::messages_max);
    CHECK(first->is_spent(0));
}

TEST_CASE("an erased data key is used no more, wherever it is kept, and has a successor") {
    EvidenceKeys keys(tenant_keys(two_tenants), KeyScope::session, std::chrono::hours(1));
    const auto kept = keys.key_for(KeyScope::session, "acme", "s-1", 0);
    const auto other = keys.key_for(KeyScope::session, "acme", "s-2", 0);
    CHECK_FALSE(keys.retire("unknown"));
    CHECK(keys.retire(kept->id()));
    CHECK(kept->is_spent(0));
    CHECK_FALSE(other->is_spent(0));
    const auto successor = keys.key_for(KeyScope::session, "acme", "s-1", 0);
    CHECK(successor->id() != kept->id());
    CHECK_FALSE(keys.retire(kept->id()));
    CHECK(keys.retire(successor->id()));
    // Whoever is about to seal with it still gets nonces of its own.
    CHECK(kept->take_nonces(1) == 0);
    CHECK(kept->take_nonces(1) == 1);
}

TEST_CASE("a key that was pushed out by newer ones is not left in use") {
    EvidenceKeys keys(tenant_keys(two_tenants), KeyScope::session, std::chrono::hours(1));
    const auto oldest = keys.key_for(KeyScope::session, "acme", "first", 0);
    for (std::size_t i = 0; i < EvidenceKeys::keys_max; ++i)
        (void)keys.key_for(KeyScope::session, "acme", std::to_string(i), 0);
    CHECK(oldest->is_spent(0));
    CHECK_FALSE(keys.retire(oldest->id()));
}

TEST_CASE("a tenant without a key has no data key") {
    EvidenceKeys keys(
        tenant_keys("tenants: {acme: [{id: a, key: " + hex_a + "}]}"),
        KeyScope::tenant,
        std::chrono::hours(1)
    );
    CHECK(keys.key_for(KeyScope::tenant, "other", "other", 0) == nullptr);
    CHECK(keys.key_for(KeyScope::tenant, "acme", "acme", 0) != nullptr);
}

TEST_CASE("the record holds the key wrapped only, and names whose it is") {
    EvidenceKeys keys(tenant_keys(two_tenants), KeyScope::user, std::chrono::hours(1));
    const auto key = keys.key_for(KeyScope::user, "acme", "u\"1", 0);
    const EvidenceKeyRecord& record = *key->record();
    CHECK(record.key_id == key->id());
    CHECK(record.tenant_id == "acme");
    CHECK_FALSE(record.is_stored);
    CHECK(record.value.find(R"("per":"user","subject":"u\"1","wrapped":")") != std::string::npos);
    CHECK(record.value.find(R"("wrapping_key_id":"acme-2")") != std::string::npos);
    const std::string bytes(key->key().bytes().begin(), key->key().bytes().end());
    CHECK(record.value.find(to_hex(key->key().bytes())) == std::string::npos);
    CHECK(record.value.find(to_base64(bytes)) == std::string::npos);
}

TEST_CASE("lanes that ask at once get one key, and every nonce once") {
    EvidenceKeys keys(tenant_keys(two_tenants), KeyScope::tenant, std::chrono::hours(1));
    std::vector<std::vector<std::uint64_t>> nonces(4);
    std::vector<std::string> ids(4);
    {
        std::vector<std::jthread> lanes;
        for (std::size_t lane = 0; lane < nonces.size(); ++lane) {
            lanes.emplace_back([&, lane] {
                for (int i = 0; i < 1'000; ++i) {
                    const auto key = keys.key_for(KeyScope::tenant, "acme", "acme", 0);
                    ids[lane] = key->id();
                    nonces[lane].push_back(key->take_nonces(1));
                }
            });
        }
    }
    std::set<std::uint64_t> distinct;
    for (const auto& lane : nonces)
        distinct.insert(lane.begin(), lane.end());
    CHECK(distinct.size() == 4'000);
    CHECK(std::set<std::string>(ids.begin(), ids.end()).size() == 1);
}

}  // namespace
}  // namespace spangate
