// What a step is called: StepViews::what and its parts.
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "replay/figures.h"
#include "replay/step_view.h"

namespace spangate {
namespace {

constexpr std::array<std::string_view, 8> outcome_names = {
    "", "ok", "error", "blocked", "rejected", "timeout", "cancelled", "invalid"};

std::string_view first_told(std::initializer_list<std::string_view> texts) {
    for (const std::string_view text : texts) {
        if (!text.empty()) return text;
    }
    return {};
}

std::string joined(std::initializer_list<std::string_view> words) {
    std::string out;
    for (const std::string_view word : words) {
        if (word.empty()) continue;
        if (!out.empty()) out += ' ';
        out += word;
    }
    return out;
}

}  // namespace

std::string_view outcome_word(EventOutcome outcome) {
    return outcome_names[static_cast<std::size_t>(outcome)];
}

std::string StepViews::what(const Step& step) const {
    const StoryEvent& event = timeline_.event_of(step);
    const auto text = [this](TextId id) {
        return timeline_.text(id);
    };
    const std::string_view name = first_told({text(event.step), text(event.operation)});
    if (event.source == EventSource::gateway) return told_by_gateway(event);
    switch (step.kind) {
        case StepKind::start:
            return joined({"run begins", text(event.run_id)});
        case StepKind::end:
            return joined({"run ends", text(event.run_id), ending(event)});
        case StepKind::decision:
            return decision(event);
        case StepKind::inference:
            return inference(event);
        case StepKind::tool:
        case StepKind::retry:
            return call(step, event);
        case StepKind::handoff:
            return fmt::format(
                "{} → {}",
                first_told({text(event.handoff_source), agent(step)}),
                first_told({text(event.handoff_target), "?"})
            );
        case StepKind::policy:
            return policy(event);
        case StepKind::state:
            return joined({first_told({name, "state"}), text(event.state_snapshot_hash)});
        case StepKind::retrieval:
            return joined(
                       {first_told({text(event.tool_name), name, "retrieval"}),
                        is_told(event.retrieval_count)
                            ? fmt::format("→ {} found", event.retrieval_count)
                            : std::string()}
                   ) +
                   ending(event);
        case StepKind::evaluation:
            return evaluation(event);
        case StepKind::cost:
            return joined({first_told({name, "cost"}), text(event.model)});
        case StepKind::error:
            return joined({first_told({text(event.error_class), "error"}), name});
        case StepKind::termination:
            return joined({"ends:", first_told({text(event.termination_reason), "no reason told"})}
            );
        case StepKind::other:
            return joined({first_told({text(event.tool_name), name, name_of(event.type)})}) +
                   ending(event);
    }
    return {};
}

// « → error timeout», or nothing when all went well.
std::string StepViews::ending(const StoryEvent& event) const {
    if (event.outcome == EventOutcome::none || event.outcome == EventOutcome::ok) return {};
    return " → " + joined({outcome_word(event.outcome), timeline_.text(event.error_class)});
}

std::string StepViews::told_by_gateway(const StoryEvent& event) const {
    if (event.type == EventType::session_alias) {
        return joined(
            {"also told as session",
             timeline_.text(event.alias_session_id),
             fmt::format("({})", timeline_.text(event.alias_reason))}
        );
    }
    if (event.type == EventType::gateway_gap) {
        return fmt::format(
            "gateway did not deliver numbers {} to {}: {}",
            event.seq_from,
            event.seq_to,
            timeline_.text(event.reason)
        );
    }
    return std::string(name_of(event.type));
}

std::string StepViews::call(const Step& step, const StoryEvent& event) const {
    const std::string_view name = first_told(
        {timeline_.text(event.tool_name),
         timeline_.text(event.step),
         timeline_.text(event.operation),
         name_of(event.type)}
    );
    std::string out = joined({name, repeat(step, event)});
    if (step.is_unfinished) return out + " → no answer";
    const std::string status =
        is_told(event.http_status) ? std::to_string(event.http_status) : std::string();
    const std::string end = joined(
        {status,
         status.empty() || event.outcome != EventOutcome::ok ? outcome_word(event.outcome) : "",
         timeline_.text(event.error_class)}
    );
    if (!end.empty()) out += " → " + end;
    return out;
}

// «retry 1 of 13, same args, same result».
std::string StepViews::repeat(const Step& step, const StoryEvent& event) const {
    if (step.attempt <= 0 && step.kind != StepKind::retry) return {};
    std::string out = "retry";
    if (step.attempt > 0) out += fmt::format(" {}", step.attempt);
    if (is_told(event.retry_max)) out += fmt::format(" of {}", event.retry_max);
    if (step.attempt_of == no_index) return out;
    const StoryEvent& first = timeline_.event_of(timeline_.steps[step.attempt_of]);
    const auto compare = [&out](TextId a, TextId b, std::string_view what) {
        if (a == no_text || b == no_text) return;
        out += fmt::format(", {} {}", a == b ? "same" : "other", what);
    };
    compare(first.args_digest, event.args_digest, "args");
    compare(first.result_digest, event.result_digest, "result");
    return out;
}

std::string StepViews::inference(const StoryEvent& event) const {
    std::string out(first_told(
        {timeline_.text(event.model),
         timeline_.text(event.provider),
         timeline_.text(event.operation),
         "inference"}
    ));
    if (is_told(event.tokens_prompt) || is_told(event.tokens_completion)) {
        const auto words = [](std::int64_t count) {
            return is_told(count) ? count_words(count) : std::string("?");
        };
        fmt::format_to(
            std::back_inserter(out),
            " {}→{} tokens",
            words(event.tokens_prompt),
            words(event.tokens_completion)
        );
    }
    const std::string_view finish = timeline_.text(event.finish_reason);
    if (!finish.empty() && finish != "stop" && finish != "end_turn") {
        fmt::format_to(std::back_inserter(out), " ({})", finish);
    }
    return out + ending(event);
}

std::string StepViews::decision(const StoryEvent& event) const {
    const std::string_view name =
        first_told({timeline_.text(event.step), timeline_.text(event.operation), "decides"});
    const std::string_view chosen = timeline_.text(event.decision_chosen);
    std::string out(name);
    if (!chosen.empty()) out += fmt::format(" → {}", chosen);
    const std::size_t count = options(event).size();
    if (count > 0) fmt::format_to(std::back_inserter(out), " (of {})", count);
    return out;
}

std::string StepViews::policy(const StoryEvent& event) const {
    if (event.source == EventSource::guard) {
        std::string out =
            joined({"guard:", timeline_.text(event.signal), timeline_.text(event.severity)});
        if (is_told(event.repeat_count)) {
            fmt::format_to(std::back_inserter(out), " x{}", event.repeat_count);
        }
        return out;
    }
    const std::string_view gate = first_told(
        {timeline_.text(event.guardrail_name), timeline_.text(event.policy_source), "policy"}
    );
    const std::string_view verdict = first_told(
        {timeline_.text(event.policy_decision),
         event.guardrail_triggered == Told::yes ? "triggered" : "",
         outcome_word(event.outcome)}
    );
    return fmt::format("{}: {}", gate, verdict.empty() ? "intervenes" : verdict);
}

std::string StepViews::evaluation(const StoryEvent& event) const {
    const std::string score =
        is_told(event.eval_score) ? fmt::format("= {:g}", event.eval_score) : std::string();
    return joined(
        {first_told({timeline_.text(event.eval_name), "evaluation"}),
         score,
         timeline_.text(event.eval_label)}
    );
}

}  // namespace spangate
