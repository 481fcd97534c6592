#include "stored_session.h"

#include <algorithm>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "digest/sha256.h"

namespace spangate {
namespace {

constexpr WallNanos nanos_per_ms = 1'000'000;
constexpr WallNanos begin = 1'790'000'000'000 * nanos_per_ms;

std::string time_at(std::int64_t ms) {
    return to_rfc3339(begin + ms * nanos_per_ms);
}

std::string hex_of(const std::string& seed, std::size_t digits) {
    Sha256 hasher;
    hasher.add(seed);
    return to_hex(hasher.finish()).substr(0, digits);
}

// One chunk in clear: leaf and root of the contract, §6.
std::string commitment_of(
    const std::string& event_id, const std::string& salt, const std::string& payload
) {
    Sha256 hasher;
    hasher.add("spangate/evidence/1").add_byte(0).add(event_id).add_u32be(0).add_u32be(1);
    hasher.add(salt).add(payload);
    const Sha256Digest leaf = hasher.finish();
    hasher.add("spangate/evidence-root/1").add_byte(0).add(leaf);
    return to_hex(hasher.finish());
}

}  // namespace

std::string StoredSession::head(
    const std::string& event_id, const std::string& type, std::int64_t at_ms
) {
    return fmt::format(
        R"({{"schema_version":1,"event_id":"{}","event_class":"operational","event_type":"{}",)"
        R"("timestamp":"{}","time_source":"span","ts_received":"{}","tenant_id":"{}",)"
        R"("session_id":"{}","session_source":"session.id","gateway_id":"{}",)"
        R"("gateway_epoch":{},"gateway_seq":{},"source":"span","rules":"000000000000")",
        event_id,
        type,
        time_at(at_ms),
        time_at(received_ms_),
        tenant_id,
        session_id_,
        gateway_id,
        epoch_,
        ++seq_
    );
}

void StoredSession::store(EventClass event_class, const std::string& event_id, std::string value) {
    StoredRecord record;
    record.event_id = event_id;
    record.stored.event_class = event_class;
    record.stored.value = std::move(value);
    record.stored.partition = 0;
    record.stored.offset = offsets_[static_cast<std::size_t>(event_class)]++;
    record.stored.received_at = begin + received_ms_ * nanos_per_ms;
    records_.push_back(std::move(record));
}

void StoredSession::add_event(
    const std::string& type, std::int64_t at_ms, const std::string& fields
) {
    received_ms_ = at_ms;
    const std::string event_id = hex_of(fmt::format("{}/{}/{}", session_id_, epoch_, seq_), 32);
    const std::string begin_text = head(event_id, type, at_ms);
    store(
        EventClass::operational,
        event_id,
        begin_text + R"(,"classes":["operational"],)" + fields + "}"
    );
    records_.back().is_primary = true;
}

void StoredSession::add_span_event(const StoredSpan& span, const EventPlan& plan) {
    const auto id_of = [&](const std::string& slot) {
        return hex_of(fmt::format("{}/{}/{}", tenant_id, span.span, slot), 32);
    };
    const std::string event_id = id_of(plan.slot);
    std::string text = head(event_id, plan.type, plan.at_ms);
    auto out = std::back_inserter(text);
    fmt::format_to(out, R"(,"trace_id":"{:032x}","span_id":"{:016x}")", 7, span.span);
    if (span.parent != 0) fmt::format_to(out, R"(,"parent_span_id":"{:016x}")", span.parent);
    fmt::format_to(
        out, R"(,"agent_name":"{}","start_ts":"{}")", span.agent, time_at(span.start_ms)
    );
    if (!plan.is_primary) fmt::format_to(out, R"(,"primary_event_id":"{}")", id_of("end"));
    if (plan.is_at_end) {
        fmt::format_to(
            out,
            R"(,"end_ts":"{}","duration_ms":{},"outcome":"{}")",
            time_at(span.end_ms),
            span.end_ms - span.start_ms,
            span.outcome
        );
    }
    if (!span.fields.empty()) text += "," + span.fields;
    if (plan.is_at_end && !span.end_fields.empty()) text += "," + span.end_fields;
    text += R"(,"classes":["operational","detail")";
    const std::string salt = "salt of " + id_of("end");
    const std::string payload =
        R"([{"key":"input","content":")" + std::to_string(span.span) + "\"}]";
    const std::string commitment = commitment_of(id_of("end"), salt, payload);
    if (span.has_evidence) text += R"(,"evidence")";
    text += "]";
    if (span.has_evidence) fmt::format_to(out, R"(,"evidence_commitment":"{}")", commitment);
    const std::string header = text.substr(0, text.find(R"(,"agent_name")"));
    store(EventClass::operational, event_id, text + "}");
    records_.back().is_primary = plan.is_primary;
    if (!plan.is_primary) return;
    const auto of_class = [](std::string record, const std::string& name) {
        const std::string mine = R"("event_class":"operational")";
        return record.replace(record.find(mine), mine.size(), R"("event_class":")" + name + "\"");
    };
    store(
        EventClass::detail,
        event_id,
        of_class(text, "detail") + R"(,"name":"a span","attributes":{"n":1,"s":"x"}})"
    );
    records_.back().is_primary = true;
    if (!span.has_evidence) return;
    store(
        EventClass::evidence,
        event_id,
        of_class(header, "evidence") +
            fmt::format(
                R"(,"payload":"{}","chunk":0,"chunks":1,"salt":"{}","commitment":"{}"}})",
                to_base64(payload),
                to_base64(salt),
                commitment
            )
    );
    records_.back().is_primary = true;
}

void StoredSession::add(const StoredSpan& span) {
    received_ms_ = span.end_ms + 200;
    if (!span.begin_type.empty()) {
        add_span_event(span, {span.begin_type, "start", span.start_ms, false, false});
    }
    add_span_event(span, {span.end_type, "end", span.end_ms, true, true});
    if (!span.also_type.empty()) {
        add_span_event(span, {span.also_type, "also:" + span.also_type, span.end_ms, false, true});
    }
}

StoredSession StoredSession::good() {
    StoredSession session;
    const auto tool = [&session](
                          std::uint64_t span, std::int64_t at, const char* name, const char* result
                      ) {
        StoredSpan call;
        call.span = span;
        call.parent = 3;
        call.begin_type = "tool_request";
        call.end_type = "tool_response";
        call.start_ms = at;
        call.end_ms = at + 400;
        call.agent = "validator";
        call.fields = fmt::format(
            R"("tool_name":"{}","tool_call_id":"call-{}","args_digest":"d:{}")", name, span, span
        );
        call.end_fields = fmt::format(R"("result_digest":"r:{}")", result);
        session.add(call);
    };
    const auto model = [&session](
                           std::uint64_t span,
                           std::uint64_t parent,
                           std::int64_t at,
                           const char* agent
                       ) {
        StoredSpan call;
        call.span = span;
        call.parent = parent;
        call.start_ms = at;
        call.end_ms = at + 900;
        call.agent = agent;
        call.end_fields = fmt::format(
            R"("model":"m-1","response_id":"resp-{}","tokens_prompt":100,"tokens_completion":20,)"
            R"("cost_usd":0.01,"counted":true,"usage_role":"call","budget_remaining":{:.2f})",
            span,
            5.0 - 0.01 * static_cast<double>(span)
        );
        session.add(call);
    };
    model(2, 1, 100, "planner");
    StoredSpan handoff;
    handoff.span = 10;
    handoff.parent = 1;
    handoff.end_type = "handoff";
    handoff.start_ms = 1'100;
    handoff.end_ms = 1'150;
    handoff.end_fields = R"("handoff_source":"planner","handoff_target":"validator")";
    session.add(handoff);
    model(4, 3, 1'300, "validator");
    tool(5, 2'300, "lookup", "a");
    tool(6, 2'800, "charge", "b");
    model(7, 3, 3'300, "validator");
    tool(8, 4'300, "notify", "c");
    StoredSpan decision;
    decision.span = 3;
    decision.parent = 1;
    decision.end_type = "planner_decision";
    decision.start_ms = 1'200;
    decision.end_ms = 4'900;
    decision.agent = "validator";
    decision.end_fields =
        R"("decision_chosen":"refund","decision_options":["refund","wait"],"state_snapshot_hash":"st-2")";
    session.add(decision);
    StoredSpan run;
    run.span = 1;
    run.begin_type = "session_start";
    run.end_type = "session_end";
    run.also_type = "policy_intervention";
    run.start_ms = 0;
    run.end_ms = 5'000;
    run.fields = R"("policy_decision":"allow")";
    run.end_fields =
        R"("tokens_prompt":300,"tokens_completion":60,"cost_usd":0.03,"counted":false,"usage_role":"aggregate")";
    session.add(run);
    return session;
}

TimelineSettings settings_for(const StoredSession&) {
    TimelineSettings settings;
    settings.session_id = "s-1";
    settings.readable = {EventClass::operational, EventClass::detail, EventClass::evidence};
    return settings;
}

Timeline timeline_of(const std::vector<StoredRecord>& records, TimelineSettings settings) {
    if (settings.session_id.empty()) {
        settings = settings_for(StoredSession());
    }
    TimelineBuilder builder(std::move(settings));
    for (const StoredRecord& record : records)
        builder.add(record.stored);
    return builder.finish();
}

std::string text_of(const Timeline& timeline) {
    std::string text;
    auto out = std::back_inserter(text);
    for (const StoryEvent& event : timeline.events) {
        fmt::format_to(
            out,
            "event {} {} {} {} {} {}\n",
            to_hex(event.id),
            name_of(event.type),
            event.timestamp,
            event.gateway_seq,
            event.seen,
            timeline.text(event.agent_name)
        );
    }
    for (const Step& step : timeline.steps) {
        fmt::format_to(
            out,
            "step {} {} {} {} {} {} {} {} {} {} {}..{} {} {} {} {}\n",
            name_of(step.kind),
            step.event,
            step.request,
            step.parent,
            step.lane,
            step.paired,
            step.types,
            step.depth,
            step.attempt,
            step.is_failed,
            step.start_at,
            step.end_at,
            step.cost_sum_usd,
            step.tokens_sum,
            timeline.text(step.state_after),
            step.detail == no_detail
        );
    }
    for (const Lane& lane : timeline.lanes)
        fmt::format_to(out, "lane {} {}\n", timeline.text(lane.agent_name), lane.steps);
    for (const Finding& finding : timeline.findings) {
        fmt::format_to(
            out,
            "finding {} {}..{} {}\n",
            name_of(finding.kind),
            finding.first_step,
            finding.last_step,
            finding.text
        );
    }
    return text;
}

}  // namespace spangate
