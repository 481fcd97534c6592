// The steps as an ExportTraceServiceRequest in OTLP/JSON: one span a step, with the ids that it
// came with. Ids are hex and 64-bit integers are strings, as OTLP wants it
// (https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding).
#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "base/text.h"
#include "replay/json_stream.h"
#include "replay/replay.h"
#include "replay/step_view.h"

namespace spangate {
namespace {

// Numbers of opentelemetry/proto/trace/v1/trace.proto.
constexpr std::int64_t kind_internal = 1;
constexpr std::int64_t kind_client = 3;
constexpr std::int64_t status_ok = 1;
constexpr std::int64_t status_error = 2;

class OtlpWriter {
  public:
    OtlpWriter(Timeline& timeline, const ReplayView& view, std::ostream& out)
        : timeline_(timeline),
          views_(timeline, view),
          json_(out) {}

    void write();

  private:
    void choose_ids(const std::vector<std::uint32_t>& chosen);
    void write_service(TextId service, const std::vector<std::uint32_t>& steps);
    void write_span(std::uint32_t index);
    void write_attributes(std::uint32_t index);
    void write_operation(const Step& step, const StoryEvent& event);
    void write_usage(const Step& step, const StoryEvent& event);
    void write_why(const StoryEvent& event);
    void write_content(const Step& step);
    void begin_attribute(std::string_view key, std::string_view type);
    void end_attribute();
    void text(std::string_view key, std::string_view value);
    void integer(std::string_view key, std::int64_t value);
    void real(std::string_view key, double value);
    void time(std::string_view name, WallNanos at);

    Timeline& timeline_;
    const StepViews views_;
    JsonStream json_;
    std::vector<SpanKey> span_ids_;  // by step
};

// A span that is told as several steps has its id once; the others have one made of their event's.
// The end of a run has the run's whole time, so it comes before the start.
void OtlpWriter::choose_ids(const std::vector<std::uint32_t>& chosen) {
    span_ids_.assign(timeline_.steps.size(), SpanKey{});
    std::set<std::pair<TraceKey, SpanKey>> taken;
    const auto choose = [&](std::uint32_t index) {
        const StoryEvent& event = timeline_.event_of(timeline_.steps[index]);
        SpanKey id = event.span_id;
        if (id == SpanKey{} || !taken.emplace(event.trace_id, id).second) {
            std::copy_n(event.id.begin(), id.size(), id.begin());
            taken.emplace(event.trace_id, id);
        }
        span_ids_[index] = id;
    };
    for (const std::uint32_t index : chosen) {
        if (timeline_.steps[index].kind != StepKind::start) choose(index);
    }
    for (const std::uint32_t index : chosen) {
        if (timeline_.steps[index].kind == StepKind::start) choose(index);
    }
}

void OtlpWriter::begin_attribute(std::string_view key, std::string_view type) {
    json_.begin_object();
    json_.member("key", key);
    json_.name("value");
    json_.begin_object();
    json_.name(type);
}

void OtlpWriter::end_attribute() {
    json_.end_object();
    json_.end_object();
}

void OtlpWriter::text(std::string_view key, std::string_view value) {
    if (value.empty()) return;
    begin_attribute(key, "stringValue");
    json_.text(value);
    end_attribute();
}

void OtlpWriter::integer(std::string_view key, std::int64_t value) {
    if (!is_told(value)) return;
    begin_attribute(key, "intValue");
    json_.text(std::to_string(value));
    end_attribute();
}

void OtlpWriter::real(std::string_view key, double value) {
    if (!is_told(value)) return;
    begin_attribute(key, "doubleValue");
    json_.real(value);
    end_attribute();
}

void OtlpWriter::time(std::string_view name, WallNanos at) {
    json_.name(name);
    json_.text(std::to_string(at));
}

void OtlpWriter::write_operation(const Step& step, const StoryEvent& event) {
    if (step.kind == StepKind::inference) {
        text("gen_ai.operation.name", "chat");
    } else if (step.kind == StepKind::tool) {
        text("gen_ai.operation.name", "execute_tool");
    } else {
        text("event_type", name_of(event.type));
        text("operation", timeline_.text(event.operation));
    }
    text("gen_ai.conversation.id", timeline_.session_id);
    text("gen_ai.agent.name", timeline_.text(event.agent_name));
    text("gen_ai.agent.id", timeline_.text(event.agent_id));
    text("gen_ai.tool.name", timeline_.text(event.tool_name));
    text("gen_ai.tool.call.id", timeline_.text(event.tool_call_id));
    text("gen_ai.provider.name", timeline_.text(event.provider));
    text("gen_ai.response.model", timeline_.text(event.model));
    text("gen_ai.response.id", timeline_.text(event.response_id));
    text("error.type", timeline_.text(event.error_class));
    integer("http.response.status_code", event.http_status);
    text("run_id", timeline_.text(event.run_id));
    text("workflow_id", timeline_.text(event.workflow_id));
    text("step", timeline_.text(event.step));
    text("caller_step", timeline_.text(event.caller_step));
}

void OtlpWriter::write_usage(const Step& step, const StoryEvent& event) {
    integer("gen_ai.usage.input_tokens", event.tokens_prompt);
    integer("gen_ai.usage.output_tokens", event.tokens_completion);
    integer("gen_ai.usage.cache_read.input_tokens", event.tokens_cache_read);
    integer("gen_ai.usage.cache_creation.input_tokens", event.tokens_cache_write);
    integer("gen_ai.usage.reasoning.output_tokens", event.tokens_reasoning);
    real("cost.usd", step.cost_usd);
    real("budget_remaining", event.budget_remaining);
    integer("retry_count", event.retry_count);
    integer("retry.max", event.retry_max);
    text("state_snapshot_hash", timeline_.text(event.state_snapshot_hash));
}

void OtlpWriter::write_why(const StoryEvent& event) {
    text("decision.chosen", timeline_.text(event.decision_chosen));
    const std::vector<std::string_view> options = views_.options(event);
    if (!options.empty()) {
        begin_attribute("decision.options", "arrayValue");
        json_.begin_object();
        json_.name("values");
        json_.begin_array();
        for (const std::string_view option : options) {
            json_.begin_object();
            json_.name("stringValue");
            json_.text(option);
            json_.end_object();
        }
        json_.end_array();
        json_.end_object();
        end_attribute();
    }
    text("handoff.from", timeline_.text(event.handoff_source));
    text("handoff.to", timeline_.text(event.handoff_target));
    text("policy.decision", timeline_.text(event.policy_decision));
    text("policy.source", timeline_.text(event.policy_source));
    text("guardrail.name", timeline_.text(event.guardrail_name));
    text("termination.reason", timeline_.text(event.termination_reason));
    text("gen_ai.evaluation.name", timeline_.text(event.eval_name));
    real("gen_ai.evaluation.score.value", event.eval_score);
    text("gen_ai.evaluation.score.label", timeline_.text(event.eval_label));
}

void OtlpWriter::write_content(const Step& step) {
    const StepContent content = views_.content(step);
    const bool is_tool = step.kind == StepKind::tool || step.kind == StepKind::retry;
    text(is_tool ? "gen_ai.tool.call.arguments" : "gen_ai.input.messages", content.input);
    text(is_tool ? "gen_ai.tool.call.result" : "gen_ai.output.messages", content.output);
    text("exception.message", content.error);
}

void OtlpWriter::write_attributes(std::uint32_t index) {
    const Step& step = timeline_.steps[index];
    const StoryEvent& event = timeline_.event_of(step);
    json_.name("attributes");
    json_.begin_array();
    write_operation(step, event);
    write_usage(step, event);
    write_why(event);
    write_content(step);
    integer("spangate.step", std::int64_t{index} + 1);
    text("spangate.event_id", to_hex(event.id));
    json_.end_array();
}

void OtlpWriter::write_span(std::uint32_t index) {
    const Step& step = timeline_.steps[index];
    const StoryEvent& event = timeline_.event_of(step);
    json_.new_line();
    json_.begin_object();
    // Without a trace of its own (a log record, the gateway) a step is one.
    const TraceKey& trace = event.trace_id == TraceKey{} ? event.id : event.trace_id;
    json_.member("traceId", to_hex(trace));
    json_.member("spanId", to_hex(span_ids_[index]));
    if (span_ids_[index] != event.span_id && event.span_id != SpanKey{}) {
        json_.member("parentSpanId", to_hex(event.span_id));
    } else if (event.parent_span_id != SpanKey{}) {
        json_.member("parentSpanId", to_hex(event.parent_span_id));
    }
    json_.member("name", views_.what(step));
    json_.member_count("kind", step.kind == StepKind::inference ? kind_client : kind_internal);
    time("startTimeUnixNano", step.start_at);
    time("endTimeUnixNano", std::max(step.end_at, step.start_at));
    write_attributes(index);
    json_.name("status");
    json_.begin_object();
    if (step.is_failed) json_.member_count("code", status_error);
    if (!step.is_failed && event.outcome == EventOutcome::ok) json_.member_count("code", status_ok);
    json_.end_object();
    json_.end_object();
}

void OtlpWriter::write_service(TextId service, const std::vector<std::uint32_t>& steps) {
    json_.new_line();
    json_.begin_object();
    json_.name("resource");
    json_.begin_object();
    json_.name("attributes");
    json_.begin_array();
    text("service.name", timeline_.text(service));
    text(
        "deployment.environment.name",
        timeline_.text(timeline_.event_of(timeline_.steps[steps.front()]).env)
    );
    text("tenant.id", timeline_.tenant_id);
    json_.end_array();
    json_.end_object();
    json_.name("scopeSpans");
    json_.begin_array();
    json_.begin_object();
    json_.name("scope");
    json_.begin_object();
    json_.member("name", "spangate.replay");
    json_.member("version", SPANGATE_VERSION);
    json_.end_object();
    json_.name("spans");
    json_.begin_array();
    for (const std::uint32_t index : steps)
        write_span(index);
    json_.end_array();
    json_.end_object();
    json_.end_array();
    json_.end_object();
}

void OtlpWriter::write() {
    const std::vector<std::uint32_t> chosen = views_.chosen();
    choose_ids(chosen);
    std::map<TextId, std::vector<std::uint32_t>> services;
    for (const std::uint32_t index : chosen)
        services[timeline_.event_of(timeline_.steps[index]).service_name].push_back(index);
    json_.begin_object();
    json_.name("resourceSpans");
    json_.begin_array();
    for (const auto& [service, steps] : services)
        write_service(service, steps);
    json_.end_array();
    json_.end_object();
}

}  // namespace

void write_otlp(Timeline& timeline, const ReplayView& view, std::ostream& out) {
    OtlpWriter(timeline, view, out).write();
    out << '\n';
}

}  // namespace spangate
