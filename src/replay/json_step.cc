#include "replay/json_step.h"

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {
namespace {

class StepWriter {
  public:
    StepWriter(
        const Timeline& timeline, const StepViews& views, std::uint32_t index, JsonStream& json
    )
        : timeline_(timeline),
          views_(views),
          index_(index),
          step_(timeline.steps[index]),
          event_(timeline.event_of(step_)),
          json_(json) {}

    void write() {
        write_what();
        write_links();
        write_call();
        write_usage();
        write_state();
        write_why();
        write_flags();
        write_content();
        write_integrity();
    }

  private:
    void write_what();
    void write_links();
    void write_call();
    void write_usage();
    void write_state();
    void write_why();
    void write_decision();
    void write_guard();
    void write_flags();
    void write_content();
    void write_integrity();

    void member(std::string_view name, TextId id) { json_.member(name, timeline_.text(id)); }

    void number(std::string_view name, std::uint32_t step);
    void time(std::string_view name, WallNanos at);
    template <std::size_t size>
    void key(std::string_view name, const std::array<std::uint8_t, size>& key);
    void classes(std::string_view name, ClassBits bits);

    const Timeline& timeline_;
    const StepViews& views_;
    const std::uint32_t index_;
    const Step& step_;
    const StoryEvent& event_;
    JsonStream& json_;
};

void StepWriter::number(std::string_view name, std::uint32_t step) {
    if (step != no_index) json_.member_count(name, std::int64_t{step} + 1);
}

void StepWriter::time(std::string_view name, WallNanos at) {
    if (at > 0) json_.member(name, to_rfc3339(at));
}

template <std::size_t size>
void StepWriter::key(std::string_view name, const std::array<std::uint8_t, size>& key) {
    for (const std::uint8_t byte : key) {
        if (byte == 0) continue;
        json_.member(name, to_hex(key));
        return;
    }
}

void StepWriter::classes(std::string_view name, ClassBits bits) {
    json_.name(name);
    json_.begin_array();
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        if ((bits & bit(static_cast<EventClass>(i))) != 0) json_.text(event_class_names[i]);
    }
    json_.end_array();
}

void StepWriter::write_what() {
    json_.member_count("step", std::int64_t{index_} + 1);
    json_.member("kind", name_of(step_.kind));
    json_.member("letter", std::string(1, views_.letter(step_)));
    json_.member("what", views_.what(step_));
    json_.member("agent", views_.agent(step_));
    json_.member_count("lane", step_.lane);
    time("time", step_.start_at);
    time("end_time", step_.is_unfinished ? 0 : step_.end_at);
    json_.member_real("since_begin_ms", millis_of(step_.start_at - timeline_.totals.started_at));
    if (!step_.is_unfinished) {
        json_.member_real("duration_ms", millis_of(step_.end_at - step_.start_at));
    }
    json_.member_count("depth", step_.depth);
}

void StepWriter::write_links() {
    number("parent_step", step_.parent);
    number("paired_step", step_.paired);
    number("attempt_of_step", step_.attempt_of);
    json_.member_count("attempt", step_.attempt);
    json_.member_count("retry_max", event_.retry_max);
    if (step_.loop != no_index) json_.member_count("loop", step_.loop);
}

void StepWriter::write_call() {
    member("operation", event_.operation);
    member("step_name", event_.step);
    member("caller_step", event_.caller_step);
    member("turn_id", event_.turn_id);
    member("task_id", event_.task_id);
    member("run_id", event_.run_id);
    member("agent_id", event_.agent_id);
    member("service_name", event_.service_name);
    member("workflow_id", event_.workflow_id);
    json_.member("outcome", outcome_word(event_.outcome));
    member("error_class", step_.error_class == no_text ? event_.error_class : step_.error_class);
    json_.member_count("http_status", event_.http_status);
    member("tool_name", event_.tool_name);
    member("tool_call_id", event_.tool_call_id);
    member("args_digest", event_.args_digest);
    member("result_digest", event_.result_digest);
    member("args_shape_digest", event_.args_shape_digest);
    member("provider", event_.provider);
    member("model", event_.model);
    member("response_id", event_.response_id);
    member("finish_reason", event_.finish_reason);
    json_.member_real("ttft_ms", event_.ttft_ms);
    json_.member_count("retrieval_count", event_.retrieval_count);
}

void StepWriter::write_usage() {
    json_.member_count("tokens_prompt", event_.tokens_prompt);
    json_.member_count("tokens_completion", event_.tokens_completion);
    json_.member_count("tokens_cache_read", event_.tokens_cache_read);
    json_.member_count("tokens_cache_write", event_.tokens_cache_write);
    json_.member_count("tokens_reasoning", event_.tokens_reasoning);
    json_.member_count("tokens", step_.tokens);
    json_.member_count("tokens_sum", step_.tokens_sum);
    json_.member_real("cost_usd", step_.cost_usd);
    member("cost_source", event_.cost_source);
    json_.member_sum("cost_sum_usd", step_.cost_sum_usd);
    json_.member_sum("budget_left", step_.budget_left);
}

void StepWriter::write_state() {
    member("state_before", step_.state_before);
    member("state_after", step_.state_after);
    json_.member_true("state_changed", step_.changes_state);
}

void StepWriter::write_decision() {
    const auto options = views_.options(event_);
    if (event_.decision_chosen == no_text && options.empty()) return;
    json_.name("decision");
    json_.begin_object();
    member("chosen", event_.decision_chosen);
    const auto list = [this](std::string_view name, const std::vector<std::string_view>& texts) {
        json_.name(name);
        json_.begin_array();
        for (const std::string_view text : texts)
            json_.text(text);
        json_.end_array();
    };
    list("options", options);
    list("not_taken", views_.options_not_taken(event_));
    json_.end_object();
}

void StepWriter::write_guard() {
    if (event_.signal == no_text) return;
    json_.name("guard");
    json_.begin_object();
    member("signal", event_.signal);
    member("severity", event_.severity);
    json_.member_count("repeat_count", event_.repeat_count);
    json_.member_real("cost_so_far_usd", event_.cost_so_far_usd);
    key("first_event_id", event_.first_event_id);
    key("last_event_id", event_.last_event_id);
    json_.end_object();
}

void StepWriter::write_why() {
    write_decision();
    if (event_.handoff_source != no_text || event_.handoff_target != no_text) {
        json_.name("handoff");
        json_.begin_object();
        member("from", event_.handoff_source);
        member("to", event_.handoff_target);
        json_.end_object();
    }
    if (event_.policy_decision != no_text || event_.policy_source != no_text ||
        event_.guardrail_name != no_text) {
        json_.name("policy");
        json_.begin_object();
        member("decision", event_.policy_decision);
        member("source", event_.policy_source);
        member("guardrail", event_.guardrail_name);
        json_.member_true("triggered", event_.guardrail_triggered == Told::yes);
        json_.end_object();
    }
    if (event_.eval_name != no_text || is_told(event_.eval_score)) {
        json_.name("evaluation");
        json_.begin_object();
        member("name", event_.eval_name);
        json_.member_real("score", event_.eval_score);
        member("label", event_.eval_label);
        json_.end_object();
    }
    write_guard();
    member("termination_reason", event_.termination_reason);
}

void StepWriter::write_flags() {
    json_.member_true("failed", step_.is_failed);
    json_.member_true("unfinished", step_.is_unfinished);
    json_.name("flags");
    json_.begin_array();
    for (const std::string& flag : views_.flags(step_))
        json_.text(flag);
    json_.end_array();
    json_.name("findings");
    json_.begin_array();
    for (const std::uint32_t number : views_.findings_at(index_))
        write_finding(timeline_.findings[number], json_);
    json_.end_array();
}

void StepWriter::write_content() {
    const StepContent content = views_.content(step_);
    json_.name("content");
    json_.begin_object();
    json_.member("source", name_of(content.source));
    json_.member("input", content.input);
    json_.member("output", content.output);
    json_.member("error", content.error);
    json_.member("note", content.note);
    json_.member("evidence", content.evidence);
    json_.end_object();
}

void StepWriter::write_integrity() {
    json_.name("integrity");
    json_.begin_object();
    json_.member("event_id", to_hex(event_.id));
    json_.member("event_type", name_of(event_.type));
    json_.member("source", name_of(event_.source));
    key("trace_id", event_.trace_id);
    key("span_id", event_.span_id);
    key("parent_span_id", event_.parent_span_id);
    member("gateway_id", event_.gateway_id);
    json_.member_count("gateway_epoch", static_cast<std::int64_t>(event_.gateway_epoch));
    json_.member_count("gateway_seq", static_cast<std::int64_t>(event_.gateway_seq));
    json_.member_count("partition", event_.partition);
    json_.member_count("offset", event_.offset);
    time("ts_received", event_.received_at);
    classes("classes", event_.classes);
    classes("seen", event_.seen);
    member("evidence_commitment", event_.evidence_commitment);
    if (event_.evidence_commitment != no_text) {
        json_.member_count("evidence_bytes", event_.content_length);
    }
    json_.member_count("redactions", event_.redactions);
    json_.end_object();
}

}  // namespace

double millis_of(WallNanos duration) {
    return static_cast<double>(duration) / 1e6;
}

void write_step_members(
    const Timeline& timeline, const StepViews& views, std::uint32_t index, JsonStream& json
) {
    StepWriter(timeline, views, index, json).write();
}

void write_finding(const Finding& finding, JsonStream& json) {
    json.begin_object();
    json.member("kind", name_of(finding.kind));
    json.member("severity", name_of(finding.severity));
    if (finding.signal) {
        json.member("signal", fmt::format("L{}", static_cast<int>(*finding.signal)));
        json.member("signal_name", name_of(*finding.signal));
    }
    if (finding.first_step != no_index) {
        json.member_count("first_step", std::int64_t{finding.first_step} + 1);
    }
    if (finding.last_step != no_index) {
        json.member_count("last_step", std::int64_t{finding.last_step} + 1);
    }
    if (!is_zero(finding.event_id)) json.member("event_id", to_hex(finding.event_id));
    json.member("text", finding.text);
    json.end_object();
}

}  // namespace spangate
