// Crypto-shredding: the wrapped data keys of a subject are destroyed; the evidence stays where it
// is, opens no more, and still fits its commitments. In this order:
//
//   which keys ─▶ confirmed ─▶ audit record stored ─▶ keys destroyed ─▶ read back: none is left
#include <array>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include <fmt/format.h>

#include "app/audit_log.h"
#include "app/evidence.h"
#include "app/evidence_source.h"
#include "app/report_faults.h"
#include "base/clock.h"
#include "base/json_quote.h"
#include "base/text.h"
#include "config/load_config.h"
#include "deliver/evidence_key_file.h"
#include "deliver/topic_writer.h"
#include "digest/tenant_keys.h"
#include "model/id_form.h"
#include "session/evidence_opener.h"
#include "session/evidence_record.h"

namespace spangate {
namespace {

constexpr const char* command = "erase";
constexpr std::size_t reason_bytes_max = 1'024;
constexpr std::size_t key_ids_named_max = 1'000;

using KeyIds = std::set<std::string, std::less<>>;

struct Subject {
    KeyScope per = KeyScope::tenant;
    std::string name;
};

Subject subject_of(const EvidenceEraseArguments& arguments) {
    if (!arguments.session_id.empty()) return {KeyScope::session, arguments.session_id};
    if (!arguments.user_ref.empty()) return {KeyScope::user, arguments.user_ref};
    return {KeyScope::tenant, arguments.tenant_id};
}

// The whole tenant: whatever its keys cover.
std::vector<const StoredDataKey*> keys_of(
    const EvidenceKeyStore& store, const EvidenceEraseArguments& arguments
) {
    const Subject subject = subject_of(arguments);
    if (subject.per == KeyScope::tenant) return store.of(arguments.tenant_id);
    return store.of(arguments.tenant_id, subject.per, subject.name);
}

// Names the keys as far as they fit a record; their number always.
std::string audit_record(const EvidenceEraseArguments& arguments, const KeyIds& ids) {
    const Subject subject = subject_of(arguments);
    std::string out = fmt::format(
        R"({{"schema_version":1,"audit_type":"evidence_erase","ts":"{}","who":{},"why":{},)"
        R"("tenant_id":{},"per":"{}","subject":{},"keys_count":{},"key_ids":[)",
        to_rfc3339(SystemClock().wall_nanos()),
        json_quote(audit_user()),
        json_quote(arguments.reason),
        json_quote(arguments.tenant_id),
        name_of(subject.per),
        json_quote(subject.name),
        ids.size()
    );
    std::size_t named = 0;
    for (const std::string& id : ids) {
        if (++named > key_ids_named_max) break;
        fmt::format_to(std::back_inserter(out), "{}\"{}\"", out.back() == '[' ? "" : ",", id);
    }
    return out + "]}";
}

// One place where the keys are: the topic, or the file.
class KeyPlace {
  public:
    KeyPlace(const Config& config, bool is_kafka) {
        source_.kafka = config.exporters.kafka;
        if (!is_kafka) source_.directory = config.exporters.jsonl.directory;
    }

    [[nodiscard]] std::string name() const {
        return is_kafka() ? "topic " + source_.kafka.topics.evidence_keys : source_.directory;
    }

    // Nothing: there is no such topic or file, so there are no keys.
    [[nodiscard]] Result<std::optional<EvidenceKeyStore>> read() const {
        Result<EvidenceKeyStore> store = is_kafka() ? EvidenceKeyStore::read(source_.kafka)
                                                    : EvidenceKeyStore::read(source_.directory);
        if (store) return std::move(*store);
        if (store.error().code == ErrorCode::not_found) return std::nullopt;
        return tl::unexpected(std::move(store.error()));
    }

    [[nodiscard]] Result<std::unique_ptr<EventReader>> events(EventQuery query) const {
        return source_.open(std::move(query));
    }

    [[nodiscard]] Status audit(const std::string& tenant_id, const std::string& record) const {
        const AuditPlace place{source_.directory, source_.kafka};
        return write_audit(place, tenant_id, tenant_id, std::array{record});
    }

    [[nodiscard]] Status erase(const KeyIds& ids) const {
        if (!is_kafka()) {
            const Result<std::uint64_t> erased = erase_evidence_keys(source_.directory, ids);
            return erased ? Status() : tl::unexpected(erased.error());
        }
        auto writer = TopicWriter::connect(source_.kafka);
        if (!writer) return tl::unexpected(std::move(writer.error()));
        std::vector<TopicRecord> tombstones;
        for (const std::string& id : ids)
            tombstones.push_back({id, std::nullopt});
        return (*writer)->write(source_.kafka.topics.evidence_keys, tombstones);
    }

  private:
    [[nodiscard]] bool is_kafka() const { return source_.directory.empty(); }

    EvidenceSource source_;
};

bool is_sound(const EvidenceEraseArguments& arguments) {
    const char* fault = nullptr;
    if (!is_id(arguments.tenant_id)) fault = "--tenant is not a tenant's id";
    if (!arguments.session_id.empty() && !arguments.user_ref.empty()) {
        fault = "give --session or --user-ref, not both";
    }
    if (arguments.reason.empty() || arguments.reason.size() > reason_bytes_max) {
        fault = "--reason wants 1 to 1024 bytes; it goes into the audit record";
    }
    if (fault != nullptr) std::fprintf(stderr, "spangate evidence erase: %s\n", fault);
    return fault == nullptr;
}

bool is_agreed(const EvidenceEraseArguments& arguments) {
    if (arguments.is_confirmed) return true;
    if (::isatty(STDIN_FILENO) == 0) {
        std::fprintf(stderr, "spangate evidence erase: give --yes where nobody can be asked\n");
        return false;
    }
    std::printf("This cannot be undone. Write the tenant's name to go on: ");
    std::fflush(stdout);
    std::array<char, 256> line{};
    if (std::fgets(line.data(), static_cast<int>(line.size()), stdin) == nullptr) return false;
    return std::string_view(line.data()) == arguments.tenant_id + "\n";
}

// What keeps an erasure from being asked for in the wrong unit.
void explain_none(const EvidenceKeyStore& store, const EvidenceEraseArguments& arguments) {
    std::array<std::size_t, 3> counts{};
    for (const StoredDataKey* key : store.of(arguments.tenant_id))
        ++counts[static_cast<std::size_t>(key->per)];
    std::fprintf(
        stderr,
        "spangate evidence erase: no data key covers this subject alone; tenant %s has %zu keys of "
        "the whole tenant, %zu of sessions, %zu of users (processors.route.evidence.encrypt.per "
        "decides it when evidence is made)\n",
        arguments.tenant_id.c_str(),
        counts[0],
        counts[1],
        counts[2]
    );
}

// What the destroyed keys have sealed, and how much of it opens all the same (none, or something
// is wrong).
struct Proof {
    std::uint64_t chunks = 0;
    std::uint64_t opened = 0;
    std::set<std::string> sessions;
};

Result<Proof> prove(
    const KeyPlace& place,
    const EvidenceEraseArguments& arguments,
    const KeyIds& ids,
    const TenantKeys* tenants
) {
    Result<std::optional<EvidenceKeyStore>> store = place.read();
    if (!store) return tl::unexpected(std::move(store.error()));
    EventQuery query;
    query.classes = {EventClass::evidence};
    query.session_id = arguments.session_id;
    Result<std::unique_ptr<EventReader>> reader = place.events(std::move(query));
    if (!reader) return tl::unexpected(std::move(reader.error()));
    const EvidenceKeyStore none;
    EvidenceOpener opener(*store ? **store : none, tenants);
    EvidenceRecordReader records;
    EvidenceRecord record;
    StoredEvent event;
    std::string text;
    Proof proof;
    while (true) {
        const Result<ReadState> state = (*reader)->next(event);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) return proof;
        if (*state == ReadState::nothing_yet || !records.read(event, record)) continue;
        if (!ids.contains(record.key_id)) continue;
        ++proof.chunks;
        proof.sessions.insert(record.session_id);
        if (opener.open(record, text) != Opening::no_data_key) ++proof.opened;
    }
}

// Audit, destruction and proof in one place. The audit record is stored before anything else.
ExitCode shred(
    const KeyPlace& place,
    const EvidenceEraseArguments& arguments,
    const KeyIds& ids,
    const TenantKeys* tenants
) {
    if (const Status audited = place.audit(arguments.tenant_id, audit_record(arguments, ids));
        !audited) {
        std::fprintf(stderr, "nothing was erased, because the audit record was not stored\n");
        return evidence_failure(command, audited.error());
    }
    if (const Status erased = place.erase(ids); !erased) {
        std::fprintf(stderr, "erased in part or not at all; run it again\n");
        return evidence_failure(command, erased.error());
    }
    const Result<Proof> proof = prove(place, arguments, ids, tenants);
    if (!proof) return evidence_failure(command, proof.error());
    const std::string told = fmt::format(
        "{}: destroyed {} data keys; {} chunks of evidence in {} sessions open no more, {} still "
        "open; their commitments verify as before",
        place.name(),
        ids.size(),
        proof->chunks - proof->opened,
        proof->sessions.size(),
        proof->opened
    );
    std::printf("%s\n", told.c_str());
    return proof->opened == 0 ? ExitCode::clean : ExitCode::findings;
}

void tell_what_is_left(
    const EvidenceEraseArguments& arguments, const std::set<std::string>& wraps
) {
    std::printf(
        "This cannot be undone. What it does not reach:\n"
        "- Running gateways take new keys when they hear of it, within seconds; one that may not "
        "read the keys does so on reload (SIGHUP), restart or rotation. What it seals until then "
        "cannot be read either; verify counts it.\n"
        "- What comes for the same subject from now on is sealed with a new key.\n"
        "- The wrapped keys stand on the brokers' disks until compaction, and in backups: there, "
        "whoever has the tenant's key can still use them.\n"
    );
    if (!arguments.session_id.empty() || !arguments.user_ref.empty()) return;
    std::string list;
    for (const std::string& id : wraps)
        list += (list.empty() ? "" : ", ") + id;
    std::printf(
        "To end that as well, take the tenant's own keys (%s) out of every copy of the key file, "
        "unless other tenants use them.\n",
        list.c_str()
    );
}

// The keys to destroy at one place, with the tenant's keys that wrap them.
struct Found {
    KeyPlace place;
    KeyIds ids;
    std::set<std::string> wraps;
};

Result<std::vector<Found>> find_keys(
    const Config& config, const EvidenceEraseArguments& arguments, EvidenceKeyStore& last
) {
    std::vector<Found> found;
    std::vector<KeyPlace> places;
    if (!config.exporters.kafka.brokers.empty()) places.emplace_back(config, true);
    if (!config.exporters.jsonl.directory.empty()) places.emplace_back(config, false);
    for (const KeyPlace& place : places) {
        Result<std::optional<EvidenceKeyStore>> store = place.read();
        if (!store) return tl::unexpected(std::move(store.error()));
        if (!*store) continue;
        Found here{place, {}, {}};
        for (const StoredDataKey* key : keys_of(**store, arguments)) {
            here.ids.insert(key->key_id);
            here.wraps.insert(key->wrapping_key_id);
        }
        if (!here.ids.empty()) found.push_back(std::move(here));
        last = std::move(**store);
    }
    return found;
}

}  // namespace

ExitCode erase_evidence(const EvidenceEraseArguments& arguments) {
    if (!is_sound(arguments)) return ExitCode::usage;
    const auto config = load_config(arguments.config_path);
    if (!config) {
        report_faults(config.error());
        return ExitCode::usage;
    }
    std::shared_ptr<const TenantKeys> tenants;
    if (const std::string& path = config->route.evidence.encrypt_key_file; !path.empty()) {
        auto loaded = TenantKeys::load(path);
        if (!loaded) return evidence_failure(command, loaded.error());
        tenants = std::move(*loaded);
    }
    EvidenceKeyStore last;
    Result<std::vector<Found>> found = find_keys(*config, arguments, last);
    if (!found) return evidence_failure(command, found.error());
    if (found->empty()) {
        explain_none(last, arguments);
        return ExitCode::not_found;
    }
    const Subject subject = subject_of(arguments);
    for (const Found& here : *found) {
        std::printf(
            "%s: %zu data keys of %s %s\n",
            here.place.name().c_str(),
            here.ids.size(),
            std::string(name_of(subject.per)).c_str(),
            subject.name.c_str()
        );
    }
    if (!is_agreed(arguments)) return ExitCode::findings;
    std::set<std::string> wraps;
    for (const Found& here : *found) {
        const ExitCode code = shred(here.place, arguments, here.ids, tenants.get());
        if (code != ExitCode::clean) return code;
        wraps.insert(here.wraps.begin(), here.wraps.end());
    }
    tell_what_is_left(arguments, wraps);
    return ExitCode::clean;
}

}  // namespace spangate
