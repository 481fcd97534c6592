#include "guard/verdict.h"

#include <utility>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"

namespace spangate {
namespace {

std::string_view word_for(Severity severity) {
    switch (severity) {
        case Severity::info:
            return "ok";
        case Severity::warning:
            return "warn";
        case Severity::critical:
            break;
    }
    return "stop";
}

std::string reasons_of(const Verdict& verdict) {
    std::string list;
    for (const GuardReason& reason : verdict.reasons) {
        if (!list.empty()) list += ',';
        list += fmt::format(
            R"({{"signal":"{}","name":"{}","severity":"{}","repeats":{},"text":{}}})",
            signal_code(reason.signal),
            name_of(reason.signal),
            name_of(reason.severity),
            reason.repeats,
            json_quote(reason.text)
        );
    }
    return list;
}

}  // namespace

Verdict verdict_of(const GuardedSession& session) {
    Verdict verdict{
        session.detector.standing(), session.detector.cost_usd(), session.last_seen, {}};
    if (verdict.standing != Severity::info) verdict.reasons = session.reasons;
    return verdict;
}

Verdict verdict_of(SavedSession&& saved) {
    Verdict verdict{saved.standing, saved.cost_usd, saved.last_seen, {}};
    if (verdict.standing != Severity::info) verdict.reasons = std::move(saved.reasons);
    return verdict;
}

std::string verdict_text(const SessionKey& key, const Verdict& verdict) {
    return fmt::format(
        R"({{"verdict":"{}","known":true,"reasons":[{}],"session_id":{},"tenant_id":{},)"
        R"("cost_usd":{},"last_seen":"{}"}})"
        "\n",
        word_for(verdict.standing),
        reasons_of(verdict),
        json_quote(key.session_id),
        json_quote(key.tenant_id),
        verdict.cost_usd,
        to_rfc3339(verdict.last_seen)
    );
}

std::string unknown_verdict(const SessionKey& key) {
    return fmt::format(
        R"({{"verdict":"ok","known":false,"reasons":[],"session_id":{},"tenant_id":{}}})"
        "\n",
        json_quote(key.session_id),
        json_quote(key.tenant_id)
    );
}

}  // namespace spangate
