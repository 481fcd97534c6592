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

namespace spangate {

// What became of one telling of an event's evidence.
enum class EvidenceVerdict : std::uint8_t {
    match,             // whole, and its commitment stands on operational or detail
    erased,            // the same, and no data key opens it any more
    mismatch,          // not what was committed to
    missing_chunk,     // some of its chunks are not there
    missing_evidence,  // committed to, and nothing of it is there
    unclaimed,         // there, and no operational or detail record names it
    undecryptable,     // fits its commitment, but its key does not open it
};

inline constexpr std::array<std::string_view, 7> evidence_verdict_names = {
    "match",
    "erased",
    "mismatch",
    "missing_chunk",
    "missing_evidence",
    "unclaimed",
    "undecryptable",
};

[[nodiscard]] constexpr bool is_finding(EvidenceVerdict verdict) {
    return verdict != EvidenceVerdict::match && verdict != EvidenceVerdict::erased;
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
    std::uint64_t encrypted = 0;            // tellings
    std::uint64_t decrypted = 0;            // of these, opened to the last chunk
    std::uint64_t damaged = 0;              // records that could not be read
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

    // `opener` may be null: then sealed evidence is checked against its commitment alone. Outlives
    // the check. `tenant_id`: this one's records only; empty: all.
    explicit EvidenceCheck(EvidenceOpener* opener, std::string tenant_id = {})
        : opener_(opener),
          tenant_id_(std::move(tenant_id)) {}

    void add(const StoredEvent& event);

    // `newest`: the keys as of now, to tell what was erased from what is newer than the opener's
    // keys; null: nothing counts as erased.
    [[nodiscard]] EvidenceReport finish(const EvidenceKeyStore* newest);

  private:
    // Tenant, event, commitment.
    using TellingName = std::tuple<std::string, std::string, std::string>;

    struct Telling {
        std::string session_id;
        std::string key_id;
        std::uint32_t count = 0;
        bool is_contradictory = false;  // chunks that do not agree, or two of one number
        bool is_broken = false;         // a chunk did not open with its key
        std::uint32_t opened = 0;
        std::map<std::uint32_t, Sha256Digest> leaves;
    };

    void add_chunk(const EvidenceRecord& record);
    void judge(const TellingName& name, const Telling& telling, const EvidenceKeyStore* newest);
    void judge_claim(const TellingName& name, const std::string& session_id);
    void tell(
        EvidenceVerdict verdict, const TellingName& name, std::string session_id, std::string text
    );
    [[nodiscard]] bool fits(const std::string& commitment, const Telling& telling);

    EvidenceOpener* opener_;
    const std::string tenant_id_;
    EvidenceRecordReader reader_;
    EvidenceRecord record_;
    Sha256 hasher_;
    Sha256 root_;
    std::string text_;
    std::map<TellingName, Telling> tellings_;
    std::map<TellingName, std::string> claims_;                   // → session
    std::set<std::pair<std::string, std::string>> wrong_events_;  // tenant, event: told already
    EvidenceReport report_;
};

}  // namespace spangate
