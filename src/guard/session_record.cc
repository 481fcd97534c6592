#include "guard/session_record.h"

#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"

namespace spangate {
namespace {

constexpr std::int64_t record_version = 1;

std::optional<Severity> severity_from(std::string_view name) {
    for (std::size_t i = 0; i < severity_names.size(); ++i) {
        if (severity_names[i] == name) return static_cast<Severity>(i);
    }
    return std::nullopt;
}

// «critical 6 the sentence».
std::optional<GuardReason> read_reason(LoopSignal signal, std::string_view text) {
    const std::size_t first = text.find(' ');
    if (first == std::string_view::npos) return std::nullopt;
    const std::size_t second = text.find(' ', first + 1);
    if (second == std::string_view::npos) return std::nullopt;
    GuardReason reason;
    reason.signal = signal;
    const std::optional<Severity> severity = severity_from(text.substr(0, first));
    if (!severity) return std::nullopt;
    reason.severity = *severity;
    const char* const end = text.data() + second;
    const auto [stop, error] = std::from_chars(text.data() + first + 1, end, reason.repeats);
    if (error != std::errc{} || stop != end) return std::nullopt;
    reason.text = text.substr(second + 1);
    return reason;
}

}  // namespace

std::string session_record_key(const SessionKey& key) {
    return fmt::format("[{},{}]", json_quote(key.tenant_id), json_quote(key.session_id));
}

std::string session_record_value(const GuardedSession& session, std::string_view topic) {
    std::string value = fmt::format(
        R"({{"version":{},"topic":{},"tenant_id":{},"session_id":{},"session_source":{},)"
        R"("digest_key_id":{},"offset":{},"last_seen":"{}","epoch_ms":{},"told_count":{},)"
        R"("standing":"{}","cost_usd":{})",
        record_version,
        json_quote(topic),
        json_quote(session.tenant_id),
        json_quote(session.session_id),
        json_quote(session.session_source),
        json_quote(session.digest_key_id),
        session.offset,
        to_rfc3339(session.last_seen),
        session.epoch_ms,
        session.told_count,
        name_of(session.detector.standing()),
        session.detector.cost_usd()
    );
    for (const GuardReason& reason : session.reasons) {
        const std::string text =
            fmt::format("{} {} {}", name_of(reason.severity), reason.repeats, reason.text);
        value += fmt::format(R"(,"{}":{})", signal_code(reason.signal), json_quote(text));
    }
    value += fmt::format(R"(,"detector":"{}"}})", to_base64(session.detector.save()));
    return value;
}

std::optional<SavedSession> read_session_record(std::string_view value, EventFields& fields) {
    if (!fields.parse(value) || fields.integer("version") != record_version) return std::nullopt;
    SavedSession saved;
    saved.topic = fields.text("topic");
    saved.tenant_id = fields.text("tenant_id");
    saved.session_id = fields.text("session_id");
    saved.session_source = fields.text("session_source");
    saved.digest_key_id = fields.text("digest_key_id");
    const std::optional<std::int64_t> offset = fields.integer("offset");
    const std::optional<std::int64_t> epoch_ms = fields.integer("epoch_ms");
    const std::optional<std::int64_t> told_count = fields.integer("told_count");
    const std::optional<WallNanos> last_seen = fields.time("last_seen");
    std::optional<std::string> detector = from_base64(fields.text("detector"));
    if (!offset || !epoch_ms || *epoch_ms < 0 || !told_count || *told_count < 0 || !last_seen ||
        !detector || saved.tenant_id.empty() || saved.session_id.empty()) {
        return std::nullopt;
    }
    saved.offset = *offset;
    saved.epoch_ms = static_cast<std::uint64_t>(*epoch_ms);
    saved.told_count = static_cast<std::uint64_t>(*told_count);
    saved.last_seen = *last_seen;
    saved.standing = severity_from(fields.text("standing")).value_or(Severity::info);
    saved.cost_usd = fields.real("cost_usd").value_or(0);
    saved.detector = std::move(*detector);
    for (unsigned i = 1; i <= loop_signals_count; ++i) {
        const auto signal = static_cast<LoopSignal>(i);
        const std::string_view text = fields.text(signal_code(signal));
        if (text.empty()) continue;
        if (std::optional<GuardReason> reason = read_reason(signal, text)) {
            saved.reasons.push_back(std::move(*reason));
        }
    }
    return saved;
}

Result<GuardedSession> wake_session(SavedSession&& saved, Shard shard, const GuardConfig& config) {
    Result<LoopDetector> detector = LoopDetector::restore(config, saved.detector);
    if (!detector) return tl::unexpected(std::move(detector.error()));
    GuardedSession session({saved.tenant_id, saved.session_id}, shard, std::move(*detector));
    session.session_source = std::move(saved.session_source);
    session.digest_key_id = std::move(saved.digest_key_id);
    session.offset = saved.offset;
    session.last_seen = saved.last_seen;
    session.epoch_ms = saved.epoch_ms;
    session.told_count = saved.told_count;
    session.reasons = std::move(saved.reasons);
    return session;
}

}  // namespace spangate
