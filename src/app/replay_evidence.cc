#include "app/replay_evidence.h"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "app/audit_log.h"
#include "app/evidence_source.h"
#include "app/replay_plan.h"
#include "base/clock.h"
#include "base/json_quote.h"
#include "base/text.h"
#include "digest/sha256.h"
#include "digest/tenant_keys.h"
#include "replay/step_view.h"
#include "session/evidence_opener.h"

namespace spangate {
namespace {

constexpr std::size_t event_ids_max = 1'000;  // of one audit record

// The events whose evidence is asked for, and what operational says of it.
using Wanted = std::map<std::string, std::string, std::less<>>;  // event id → commitment

Wanted wanted_of(const Timeline& timeline, const StepViews& views, StepRange range) {
    Wanted wanted;
    const auto end = std::min<std::size_t>(range.second, timeline.steps.size());
    for (std::size_t i = range.first - 1; i < end; ++i) {
        const Step& step = timeline.steps[i];
        if (!views.has_evidence(step)) continue;
        const TextId commitment = timeline.event_of(step).evidence_commitment;
        wanted.emplace(to_hex(views.evidence_key(step)), timeline.text(commitment));
    }
    return wanted;
}

// As many as it takes to name every event.
std::vector<std::string> audit_records(
    const AuditPlace& place,
    const ReplayArguments& arguments,
    const Timeline& timeline,
    const Wanted& wanted
) {
    std::vector<std::string> records;
    const std::string principal = audit_principal(place);
    for (auto at = wanted.begin(); at != wanted.end();) {
        std::string record = fmt::format(
            R"({{"schema_version":1,"audit_type":"evidence_read","ts":"{}","who":{},)",
            to_rfc3339(SystemClock().wall_nanos()),
            json_quote(audit_user())
        );
        if (!principal.empty()) record += "\"principal\":" + json_quote(principal) + ",";
        fmt::format_to(
            std::back_inserter(record),
            R"("why":{},"tenant_id":{},"session_id":{},"tool":"spangate replay {}",)"
            R"("events_count":{},"event_ids":[)",
            json_quote(arguments.reason),
            json_quote(timeline.tenant_id),
            json_quote(timeline.session_id),
            SPANGATE_VERSION,
            wanted.size()
        );
        for (std::size_t i = 0; i < event_ids_max && at != wanted.end(); ++i, ++at)
            fmt::format_to(std::back_inserter(record), "{}\"{}\"", i == 0 ? "" : ",", at->first);
        records.push_back(record + "]}");
    }
    return records;
}

// Gives on what is wanted, and works out each telling's commitment on the way.
class WantedEvidence final : public EventReader {
  public:
    WantedEvidence(std::unique_ptr<EventReader> reader, const Wanted& wanted)
        : reader_(std::move(reader)),
          wanted_(wanted) {}

    Result<ReadState> next(StoredEvent& event) override {
        while (true) {
            Result<ReadState> state = reader_->next(event);
            if (!state || *state != ReadState::event) return state;
            if (!records_.read(event, record_) || !wanted_.contains(record_.event_id)) continue;
            Telling& telling = tellings_[{record_.event_id, record_.commitment}];
            telling.count = record_.count;
            telling.leaves.emplace(record_.index, record_.leaf(hasher_));
            return state;
        }
    }

    std::uint64_t damaged() const override { return reader_->damaged(); }

    // Whether all chunks are there and are what the commitment was made of.
    [[nodiscard]] bool fits(const EvidenceContent& content) {
        const auto found = tellings_.find({content.event_id, content.commitment});
        if (found == tellings_.end()) return false;
        const Telling& telling = found->second;
        if (telling.leaves.size() != telling.count) return false;
        hasher_.add("spangate/evidence-root/1").add_byte(0);
        for (const auto& [index, leaf] : telling.leaves)
            hasher_.add(leaf);
        return to_hex(hasher_.finish()) == content.commitment;
    }

  private:
    struct Telling {
        std::uint32_t count = 0;
        std::map<std::uint32_t, Sha256Digest> leaves;
    };

    const std::unique_ptr<EventReader> reader_;
    const Wanted& wanted_;
    EvidenceRecordReader records_;
    EvidenceRecord record_;
    Sha256 hasher_;
    std::map<std::pair<std::string, std::string>, Telling> tellings_;
};

// What opens sealed evidence.
struct Keys {
    EvidenceKeyStore store;
    bool is_known = false;
    std::string why_not;  // the data keys could not be read
    std::shared_ptr<const TenantKeys> tenants;
};

Result<Keys> read_keys(const ReadingPlace& place, const ReplayArguments& arguments) {
    Keys keys;
    EvidenceSource source{place.directory, place.config.exporters.kafka};
    Result<std::optional<EvidenceKeyStore>> store = source.read_keys(keys.why_not);
    if (!store) return tl::unexpected(std::move(store.error()));
    keys.is_known = store->has_value();
    if (*store) keys.store = std::move(**store);
    const std::string& path = arguments.key_file.empty()
                                  ? place.config.route.evidence.encrypt_key_file
                                  : arguments.key_file;
    if (path.empty()) return keys;
    auto tenants = TenantKeys::load(path);
    if (!tenants) return tl::unexpected(std::move(tenants.error()));
    keys.tenants = std::move(*tenants);
    return keys;
}

ShownEvidence shown_of(const EvidenceContent& content, bool fits, const Keys& keys) {
    ShownEvidence shown;
    if (!content.is_whole) {
        shown.why_not = "a chunk is missing";
    } else if (!fits) {
        shown.why_not = "not shown: it is not what was committed to";
    } else if (content.opening == Opening::opened) {
        shown.parts_json = content.parts_json;
    } else if (content.opening == Opening::no_data_key) {
        shown.why_not = keys.is_known ? "erased (key destroyed); commitment verifies"
                                      : "sealed; the data keys were not read: " + keys.why_not;
    } else if (content.opening == Opening::no_tenant_key) {
        shown.why_not = "sealed: --key-file with the tenant's key opens it; commitment verifies";
    } else {
        shown.why_not = "sealed, and its key does not open it; commitment verifies";
    }
    return shown;
}

void add_mismatch(Timeline& timeline, const StepViews& views, const EventKey& id) {
    ++timeline.completeness.evidence_mismatches;
    Finding finding;
    finding.kind = FindingKind::evidence_mismatch;
    finding.severity = Severity::critical;
    finding.event_id = id;
    finding.text = "the evidence on its topic is not what operational committed to";
    for (std::uint32_t i = 0; i < timeline.steps.size(); ++i) {
        if (views.evidence_key(timeline.steps[i]) != id) continue;
        finding.first_step = finding.last_step = i;
        break;
    }
    timeline.findings.insert(timeline.findings.begin(), std::move(finding));
}

// Of one session: the evidence of aliases lies under their own names.
Status read_session(
    const ReadingPlace& place,
    const std::string& session_id,
    const Wanted& wanted,
    const Keys& keys,
    Timeline& timeline,
    ReplayView& view
) {
    EventQuery query;
    query.classes = {EventClass::evidence};
    query.session_id = session_id;
    Result<std::unique_ptr<EventReader>> reader = place.open(std::move(query));
    if (!reader) return tl::unexpected(std::move(reader.error()));
    WantedEvidence filter(std::move(*reader), wanted);
    EvidenceOpener opener(keys.store, keys.tenants.get());
    const Result<std::vector<EvidenceContent>> contents = read_evidence(filter, opener);
    if (!contents) return tl::unexpected(contents.error());
    const StepViews views(timeline, view);
    for (const EvidenceContent& content : *contents) {
        if (content.tenant_id != timeline.tenant_id) continue;
        EventKey id{};
        const auto claim = wanted.find(content.event_id);
        if (claim == wanted.end() || !read_hex(content.event_id, id)) continue;
        // A span that was sent again is told again, under a salt of its own.
        if (!claim->second.empty() && claim->second != content.commitment) continue;
        const bool fits = filter.fits(content);
        view.evidence[id] = shown_of(content, fits, keys);
        ++timeline.completeness.evidence_checked;
        if (content.is_whole && !fits) add_mismatch(timeline, views, id);
    }
    return {};
}

void fill_rest(const Wanted& wanted, const std::string& why_not, ReplayView& view) {
    for (const auto& [event_id, commitment] : wanted) {
        EventKey id{};
        if (read_hex(event_id, id)) view.evidence.try_emplace(id, ShownEvidence{{}, why_not});
    }
}

}  // namespace

Result<EvidenceAccess> show_evidence(
    const ReadingPlace& place,
    const ReplayArguments& arguments,
    Timeline& timeline,
    ReplayView& view
) {
    if (arguments.evidence.empty()) return EvidenceAccess::none_asked_for;
    const Result<StepRange> range = step_range_from("--evidence", arguments.evidence);
    if (!range) return tl::unexpected(range.error());
    const Wanted wanted = wanted_of(timeline, StepViews(timeline, view), *range);
    if (wanted.empty()) {
        std::fprintf(stderr, "spangate replay: no step of --evidence has evidence\n");
        return EvidenceAccess::granted;
    }
    const Result<Keys> keys = read_keys(place, arguments);
    if (!keys) return tl::unexpected(keys.error());
    const AuditPlace audit{place.directory, place.config.exporters.kafka};
    const std::vector<std::string> records = audit_records(audit, arguments, timeline, wanted);
    if (const Status done = write_audit(audit, timeline.tenant_id, timeline.session_id, records);
        !done) {
        return fail(
            done.error().code == ErrorCode::not_found ? ErrorCode::unavailable : done.error().code,
            "no evidence was read, because the audit record was not stored: " + done.error().message
        );
    }
    std::vector<std::string> sessions = timeline.aliases;
    sessions.insert(sessions.begin(), timeline.session_id);
    for (const std::string& session_id : sessions) {
        const Status read = read_session(place, session_id, wanted, *keys, timeline, view);
        if (read) continue;
        const bool is_refused = read.error().code == ErrorCode::permission_denied;
        if (!is_refused && read.error().code != ErrorCode::not_found) {
            return tl::unexpected(read.error());
        }
        std::fprintf(stderr, "spangate replay: evidence: %s\n", read.error().message.c_str());
        fill_rest(wanted, is_refused ? "restricted" : "there is no evidence topic", view);
        return is_refused ? EvidenceAccess::refused : EvidenceAccess::granted;
    }
    fill_rest(wanted, "not there (expired, or never stored)", view);
    return EvidenceAccess::granted;
}

}  // namespace spangate
