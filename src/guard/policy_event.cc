#include "guard/policy_event.h"

#include <cmath>
#include <span>
#include <variant>

#include <fmt/format.h>
#include <protozero/pbf_builder.hpp>

#include "base/json_quote.h"
#include "base/text.h"
#include "config/load_config.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

constexpr std::string_view event_type = "policy_intervention";
constexpr std::size_t rules_digits = 12;

// A field of proto/spangate/v1/events.proto. `Fixed` is its fixed64.
struct Fixed {
    std::uint64_t value;
};

struct PolicyField {
    std::string_view name;
    std::uint32_t number;
    std::variant<std::string, std::int64_t, Fixed, double, bool> value;
};

using PolicyFields = std::vector<PolicyField>;

// Empty texts count as absent (contract §7).
void add_text(
    PolicyFields& fields, std::string_view name, std::uint32_t number, std::string_view text
) {
    if (!text.empty()) fields.push_back({name, number, std::string(text)});
}

template <std::size_t size>
void add_key(
    PolicyFields& fields,
    std::string_view name,
    std::uint32_t number,
    const std::array<std::uint8_t, size>& key
) {
    for (const std::uint8_t byte : key) {
        if (byte == 0) continue;
        add_text(fields, name, number, to_hex(key));
        return;
    }
}

// Of an event, its own time. What time told has the time from which it was true, which a repeat
// has too.
WallNanos time_of(const GuardTelling& telling, const GuardConfig& config) {
    if (telling.event != nullptr) return telling.telling.at;
    const WallNanos last = telling.session.detector.last_event_at();
    if (telling.telling.signal != LoopSignal::silence) return last;
    return last + std::chrono::nanoseconds(config.loops.silence).count();
}

// Ids of guard events: (kind, gateway_id, session, number), contract §3.
std::string event_id_of(const GuardTelling& telling, const GuardIdentity& identity) {
    const LoopTelling& told = telling.telling;
    const std::string number = fmt::format(
        "{}.{}.{}.{}",
        telling.session.offset,
        static_cast<unsigned>(told.signal),
        static_cast<unsigned>(told.severity),
        told.repeats
    );
    Sha256 sha256;
    sha256.add("spangate/event/1").add_byte(0);
    sha256.add(event_type).add_byte(0).add(identity.gateway_id).add_byte(0);
    sha256.add(telling.session.tenant_id).add_byte(0);
    sha256.add(telling.session.session_id).add_byte(0).add(number);
    const Sha256Digest digest = sha256.finish();
    return to_hex(std::span(digest).first(16));
}

void add_header(
    PolicyFields& fields,
    const GuardTelling& telling,
    const GuardIdentity& identity,
    std::string_view event_id,
    std::pair<WallNanos, WallNanos> times
) {
    const GuardedSession& session = telling.session;
    const std::string_view digest_key_id = session.digest_key_id;
    const std::string_view source = session.session_source;
    fields.push_back({"schema_version", 1, std::int64_t{1}});
    add_text(fields, "event_id", 2, event_id);
    add_text(fields, "event_class", 3, name_of(EventClass::operational));
    add_text(fields, "event_type", 4, event_type);
    add_text(fields, "timestamp", 5, to_rfc3339(times.first));
    add_text(fields, "time_source", 6, name_of(TimeSource::observed));
    add_text(fields, "ts_received", 7, to_rfc3339(times.second));
    add_text(fields, "tenant_id", 8, session.tenant_id);
    add_text(fields, "session_id", 9, session.session_id);
    add_text(fields, "session_source", 10, source.empty() ? "guard" : source);
    if (telling.event != nullptr) add_key(fields, "trace_id", 11, telling.event->trace_id);
    add_text(fields, "gateway_id", 14, identity.gateway_id);
    fields.push_back({"gateway_epoch", 15, Fixed{session.epoch_ms}});
    fields.push_back({"gateway_seq", 16, Fixed{session.told_count}});
    add_text(fields, "source", 17, name_of(EventSource::guard));
    add_text(fields, "rules", 18, identity.rules);
    add_text(fields, "digest_key_id", 19, digest_key_id.empty() ? "none" : digest_key_id);
    if (telling.event == nullptr) return;
    const StoryEvent& event = *telling.event;
    add_text(fields, "env", 21, telling.texts[event.env]);
    add_text(fields, "service_name", 22, telling.texts[event.service_name]);
    add_text(fields, "agent_id", 23, telling.texts[event.agent_id]);
    add_text(fields, "agent_name", 24, telling.texts[event.agent_name]);
    add_text(fields, "workflow_id", 25, telling.texts[event.workflow_id]);
    add_text(fields, "run_id", 26, telling.texts[event.run_id]);
}

void add_finding(PolicyFields& fields, const LoopTelling& told) {
    const bool is_critical = told.severity == Severity::critical;
    add_text(fields, "policy_decision", 96, is_critical ? "stop" : "flag");
    add_text(fields, "policy_source", 97, "guard:" + signal_code(told.signal));
    add_text(fields, "guardrail_name", 98, name_of(told.signal));
    fields.push_back({"guardrail_triggered", 99, true});
    add_text(fields, "signal", 127, policy_signal(told.signal));
    add_text(fields, "severity", 128, name_of(told.severity));
    add_key(fields, "first_event_id", 129, told.first_event_id);
    add_key(fields, "last_event_id", 130, told.last_event_id);
    fields.push_back({"repeat_count", 131, static_cast<std::int64_t>(told.repeats)});
    if (std::isfinite(told.cost_so_far_usd)) {
        fields.push_back({"cost_so_far_usd", 132, told.cost_so_far_usd});
    }
}

std::string as_json(const PolicyFields& fields) {
    std::string json = "{";
    for (const PolicyField& field : fields) {
        if (json.size() > 1) json += ',';
        json += json_quote(field.name) + ':';
        std::visit(
            [&json]<typename Value>(const Value& value) {
                if constexpr (std::is_same_v<Value, std::string>) {
                    json += json_quote(value);
                } else if constexpr (std::is_same_v<Value, Fixed>) {
                    json += std::to_string(value.value);
                } else {
                    json += fmt::format("{}", value);
                }
            },
            field.value
        );
    }
    return json + ",\"classes\":[\"operational\"]}";
}

std::string as_protobuf(const PolicyFields& fields) {
    std::string message;
    protozero::pbf_writer writer(message);
    for (const PolicyField& field : fields) {
        std::visit(
            [&]<typename Value>(const Value& value) {
                if constexpr (std::is_same_v<Value, std::string>) {
                    writer.add_string(field.number, value);
                } else if constexpr (std::is_same_v<Value, Fixed>) {
                    writer.add_fixed64(field.number, value.value);
                } else if constexpr (std::is_same_v<Value, double>) {
                    writer.add_double(field.number, value);
                } else if constexpr (std::is_same_v<Value, bool>) {
                    writer.add_bool(field.number, value);
                } else {
                    writer.add_int64(field.number, value);
                }
            },
            field.value
        );
    }
    writer.add_string(119, "operational");
    return message;
}

std::vector<std::pair<std::string, std::string>> headers_of(
    const PolicyEventForm& form, const GuardedSession& session, const std::string& event_id
) {
    if (form.headers == "none") return {};
    std::vector<std::pair<std::string, std::string>> headers = {
        {"event_type", std::string(event_type)}, {"event_id", event_id}};
    if (form.headers != "full") return headers;
    headers.emplace_back("event_class", name_of(EventClass::operational));
    headers.emplace_back("schema_version", "1");
    headers.emplace_back("tenant_id", session.tenant_id);
    headers.emplace_back(
        "content_type", form.is_json ? "application/json" : "application/x-protobuf"
    );
    return headers;
}

}  // namespace

GuardIdentity guard_identity(const GuardConfig& config) {
    Config thresholds;
    thresholds.guard.loops = config.loops;
    thresholds.guard.budget_usd = config.budget_usd;
    Sha256 sha256;
    const Sha256Digest digest = sha256.add(print_config(thresholds)).finish();
    return {config.group, to_hex(std::span(digest).first(rules_digits / 2))};
}

std::string_view policy_signal(LoopSignal signal) {
    const bool is_budget = signal == LoopSignal::cost_slope || signal == LoopSignal::budget;
    return is_budget ? "budget_risk" : "loop_suspected";
}

PolicyEvent make_policy_event(
    const GuardTelling& telling,
    const GuardIdentity& identity,
    const GuardConfig& config,
    const PolicyEventForm& form,
    WallNanos now
) {
    PolicyEvent made;
    made.event_id = event_id_of(telling, identity);
    PolicyFields fields;
    fields.reserve(40);
    add_header(fields, telling, identity, made.event_id, {time_of(telling, config), now});
    add_finding(fields, telling.telling);
    made.value = form.is_json ? as_json(fields) : as_protobuf(fields);
    made.headers = headers_of(form, telling.session, made.event_id);
    return made;
}

std::string webhook_message(const GuardTelling& telling, std::string_view event_id, WallNanos now) {
    const LoopTelling& told = telling.telling;
    std::string json = fmt::format(
        R"({{"version":1,"event_id":"{}","tenant_id":{},"session_id":{},"signal":"{}",)"
        R"("code":"{}","name":"{}","severity":"{}","repeats":{},"cost_so_far_usd":{})",
        event_id,
        json_quote(telling.session.tenant_id),
        json_quote(telling.session.session_id),
        policy_signal(told.signal),
        signal_code(told.signal),
        name_of(told.signal),
        name_of(told.severity),
        told.repeats,
        std::isfinite(told.cost_so_far_usd) ? told.cost_so_far_usd : 0
    );
    if (is_told(told.projected_usd)) {
        json += fmt::format(R"(,"projected_usd":{})", told.projected_usd);
    }
    json += fmt::format(R"(,"at":"{}","text":{}}})", to_rfc3339(now), json_quote(told.text));
    return json;
}

}  // namespace spangate
