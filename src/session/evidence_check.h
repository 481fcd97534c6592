// `spangate evidence verify`: does what stands on the evidence topic fit what operational and
// detail committed to? Keeps 32 bytes a chunk and the names of events, never content.
//
//   add(record) for every record of the three classes, in any order  ─▶  finish()
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "session/evidence_opener.h"
#include "session/evidence_record.h"
#include "session/topic_reach.h"

namespace spangate {

// What became of one telling of an event's evidence.
enum class EvidenceVerdict : std::uint8_t {
    match,             // whole, and its commitment stands on operational or detail
    erased,            // the same, and no data key opens it any more
    mismatch,          // not what was committed to
    missing_chunk,     // some of its chunks are not there
    missing_evidence,  // committed to, and nothing of it is there
    expired,           // the same, of a time to which the topic does not reach back any more
    unclaimed,         // there, and no operational or detail record names it
    undecryptable,     // fits its commitment, but its key does not open it
};

inline constexpr std::array<std::string_view, 8> evidence_verdict_names = {
    "match",
    "erased",
    "mismatch",
    "missing_chunk",
    "missing_evidence",
    "expired",
    "unclaimed",
    "undecryptable",
};

[[nodiscard]] constexpr bool is_finding(EvidenceVerdict verdict) {
    return verdict != EvidenceVerdict::match && verdict != EvidenceVerdict::erased &&
           verdict != EvidenceVerdict::expired;
}

struct EvidenceFinding {
    EvidenceVerdict verdict = EvidenceVerdict::match;
    std::string tenant_id;
    std::string session_id;
    std::string event_id;
    std::string text;  // what is wrong, for people
};

struct EvidenceReport {
    std::array<std::uint64_t, evidence_verdict_names.size()> counts{};  // tellings, by verdict
    std::uint64_t chunks = 0;
    std::uint64_t encrypted = 0;  // tellings
    std::uint64_t decrypted = 0;  // of these, opened to the last chunk
    std::uint64_t damaged = 0;    // records that could not be read
    // Of the erased ones, those that a gateway sealed after their key had been erased: it had not
    // heard of it. Known while the key's tombstone is there.
    std::uint64_t sealed_after_erasure = 0;
    WallNanos newest_expired = 0;           // when the newest expired telling was received
    std::vector<EvidenceFinding> findings;  // the first `findings_max`

    [[nodiscard]] std::uint64_t count(EvidenceVerdict verdict) const {
        return counts[static_cast<std::size_t>(verdict)];
    }

    [[nodiscard]] std::uint64_t tellings() const;
    [[nodiscard]] bool is_clean() const;
};

class EvidenceCheck {
  public:
    static constexpr std::size_t findings_max = 10'000;

    // A running gateway hears of an erased key within this time, clocks that differ included.
    static constexpr WallNanos hearing_time = 30'000'000'000;

    // `opener` may be null: then sealed evidence is checked against its commitment alone. Outlives
    // the check. `tenant_id`: this one's records only; empty: all.
    explicit EvidenceCheck(EvidenceOpener* opener, std::string tenant_id = {})
        : opener_(opener),
          tenant_id_(std::move(tenant_id)) {}

    void add(const StoredEvent& event);

    // `newest`: the keys as of now, to tell what was erased from what is newer than the opener's
    // keys; null: nothing counts as erased. `reach` tells what is expired from what is missing;
    // null: nothing counts as expired, and findings say that it cannot be known.
    [[nodiscard]] EvidenceReport finish(
        const EvidenceKeyStore* newest, EventReach* reach = nullptr
    );

  private:
    // Tenant, event, commitment.
    using TellingName = std::tuple<std::string, std::string, std::string>;

    // Of the record that named it first.
    struct Origin {
        std::string session_id;
        WallNanos received_at = 0;
        std::int32_t partition = -1;
    };

    struct Telling {
        Origin origin;
        std::string key_id;
        std::uint32_t count = 0;
        bool is_contradictory = false;  // chunks that do not agree, or two of one number
        bool is_broken = false;         // a chunk did not open with its key
        std::uint32_t opened = 0;
        std::map<std::uint32_t, Sha256Digest> leaves;
    };

    void add_chunk(const EvidenceRecord& record, Origin origin);
    void judge(const TellingName& name, const Telling& telling);
    void judge_erased(const TellingName& name, const Telling& telling);
    void judge_claim(const TellingName& name, const Origin& origin);
    void tell(
        EvidenceVerdict verdict, const TellingName& name, const Origin& origin, std::string text
    );
    // Whether records of `event_class` that belong to it would still be there.
    [[nodiscard]] Reach reach(EventClass event_class, const TellingName& name, const Origin& origin)
        const;
    [[nodiscard]] bool fits(const std::string& commitment, const Telling& telling);

    EvidenceOpener* opener_;
    const std::string tenant_id_;
    EvidenceRecordReader reader_;
    EvidenceRecord record_;
    Sha256 hasher_;
    Sha256 root_;
    std::string text_;
    std::map<TellingName, Telling> tellings_;
    std::map<TellingName, Origin> claims_;
    std::set<std::pair<std::string, std::string>> wrong_events_;  // tenant, event: told already
    const EvidenceKeyStore* newest_ = nullptr;                    // of finish()
    EventReach* reach_ = nullptr;                                 // of finish()
    EvidenceReport report_;
};

}  // namespace spangate
