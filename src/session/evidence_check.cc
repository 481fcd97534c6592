#include "session/evidence_check.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {

std::uint64_t EvidenceReport::tellings() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t one : counts)
        sum += one;
    return sum;
}

bool EvidenceReport::is_clean() const {
    if (damaged > 0) return false;
    for (std::size_t i = 0; i < counts.size(); ++i) {
        if (counts[i] > 0 && is_finding(static_cast<EvidenceVerdict>(i))) return false;
    }
    return true;
}

void EvidenceCheck::add(const StoredEvent& event) {
    if (!reader_.read(event, record_)) {
        ++report_.damaged;
        return;
    }
    if (!tenant_id_.empty() && record_.tenant_id != tenant_id_) return;
    Origin origin{record_.session_id, event.received_at, event.partition};
    if (record_.event_class == EventClass::evidence) {
        add_chunk(record_, std::move(origin));
    } else if (!record_.commitment.empty()) {
        claims_.try_emplace(
            {record_.tenant_id, record_.event_id, record_.commitment}, std::move(origin)
        );
    }
}

void EvidenceCheck::add_chunk(const EvidenceRecord& record, Origin origin) {
    Telling& telling = tellings_[{record.tenant_id, record.event_id, record.commitment}];
    if (telling.count == 0) {
        telling.origin = std::move(origin);
        telling.key_id = record.key_id;
        telling.count = record.count;
    }
    telling.is_contradictory |= telling.count != record.count || telling.key_id != record.key_id;
    const Sha256Digest leaf = record.leaf(hasher_);
    const auto [known, is_new] = telling.leaves.try_emplace(record.index, leaf);
    if (!is_new) {  // stored twice, which is allowed when it is the same
        telling.is_contradictory |= known->second != leaf;
        return;
    }
    ++report_.chunks;
    if (opener_ == nullptr || record.key_id.empty()) return;
    const Opening opening = opener_->open(record, text_);
    if (opening == Opening::opened) ++telling.opened;
    telling.is_broken |= opening == Opening::broken;
}

bool EvidenceCheck::fits(const std::string& commitment, const Telling& telling) {
    root_.add("spangate/evidence-root/1").add_byte(0);
    for (const auto& [index, leaf] : telling.leaves)
        root_.add(leaf);
    return to_hex(root_.finish()) == commitment;
}

Reach EvidenceCheck::reach(EventClass event_class, const TellingName& name, const Origin& origin)
    const {
    if (reach_ == nullptr) return Reach::unknown;
    return reach_->of(event_class, std::get<0>(name), origin.partition, origin.received_at);
}

void EvidenceCheck::judge(const TellingName& name, const Telling& telling) {
    const bool is_sealed = !telling.key_id.empty();
    if (is_sealed) ++report_.encrypted;
    if (is_sealed && telling.opened == telling.count) ++report_.decrypted;
    const auto say = [&](EvidenceVerdict verdict, std::string text) {
        tell(verdict, name, telling.origin, std::move(text));
    };
    if (telling.is_contradictory) {
        say(EvidenceVerdict::mismatch, "its chunks contradict each other");
    } else if (telling.leaves.size() < telling.count) {
        const bool is_expired = reach(EventClass::evidence, name, telling.origin) == Reach::gone;
        say(is_expired ? EvidenceVerdict::expired : EvidenceVerdict::missing_chunk,
            fmt::format("{} of {} chunks are there", telling.leaves.size(), telling.count));
    } else if (!fits(std::get<2>(name), telling)) {
        say(EvidenceVerdict::mismatch, "the recomputed commitment is another one");
    } else if (!claims_.contains(name)) {
        const bool is_expired =
            reach(EventClass::operational, name, telling.origin) == Reach::gone &&
            reach(EventClass::detail, name, telling.origin) == Reach::gone;
        say(is_expired ? EvidenceVerdict::expired : EvidenceVerdict::unclaimed,
            "no operational or detail record names its commitment");
    } else if (telling.is_broken) {
        say(EvidenceVerdict::undecryptable, "its data key does not open it");
    } else if (is_sealed && newest_ != nullptr && newest_->find(telling.key_id) == nullptr) {
        judge_erased(name, telling);
    } else {
        say(EvidenceVerdict::match, {});
    }
}

void EvidenceCheck::judge_erased(const TellingName& name, const Telling& telling) {
    const std::optional<WallNanos> erased_at = newest_->erased_at(telling.key_id);
    if (erased_at && telling.origin.received_at > *erased_at + hearing_time) {
        ++report_.sealed_after_erasure;
    }
    tell(EvidenceVerdict::erased, name, telling.origin, {});
}

void EvidenceCheck::judge_claim(const TellingName& name, const Origin& origin) {
    const auto& [tenant_id, event_id, commitment] = name;
    if (tellings_.contains(name)) return;
    if (wrong_events_.contains({tenant_id, event_id})) {
        tell(
            EvidenceVerdict::mismatch,
            name,
            origin,
            "the event's evidence has another commitment than operational or detail"
        );
        return;
    }
    switch (reach(EventClass::evidence, name, origin)) {
        case Reach::gone:
            tell(EvidenceVerdict::expired, name, origin, {});
            return;
        case Reach::holds:
            tell(
                EvidenceVerdict::missing_evidence,
                name,
                origin,
                "what was committed to is not there, and has not expired: older evidence is still "
                "there, or none was ever deleted"
            );
            return;
        case Reach::unknown:
            tell(
                EvidenceVerdict::missing_evidence,
                name,
                origin,
                "what was committed to is not there; whether it has expired or never was there "
                "cannot be known here"
            );
            return;
    }
}

void EvidenceCheck::tell(
    EvidenceVerdict verdict, const TellingName& name, const Origin& origin, std::string text
) {
    ++report_.counts[static_cast<std::size_t>(verdict)];
    if (verdict == EvidenceVerdict::expired) {
        report_.newest_expired = std::max(report_.newest_expired, origin.received_at);
    }
    if (!is_finding(verdict)) return;
    const auto& [tenant_id, event_id, commitment] = name;
    wrong_events_.emplace(tenant_id, event_id);
    if (report_.findings.size() >= findings_max) return;
    report_.findings.push_back({verdict, tenant_id, origin.session_id, event_id, std::move(text)});
}

EvidenceReport EvidenceCheck::finish(const EvidenceKeyStore* newest, EventReach* reach) {
    newest_ = newest;
    reach_ = reach;
    for (const auto& [name, telling] : tellings_)
        judge(name, telling);
    for (const auto& [name, origin] : claims_)
        judge_claim(name, origin);
    return std::move(report_);
}

}  // namespace spangate
