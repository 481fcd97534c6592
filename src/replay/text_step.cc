#include "replay/text_step.h"

#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/figures.h"
#include "replay/text_summary.h"

namespace spangate {
namespace {

constexpr std::size_t label_width = 14;

class WholeStep {
  public:
    WholeStep(const Timeline& timeline, const StepViews& views, std::uint32_t index, TextPage& page)
        : timeline_(timeline),
          views_(views),
          index_(index),
          step_(timeline.steps[index]),
          event_(timeline.event_of(step_)),
          page_(page) {}

    void write();

  private:
    void add(std::string_view label, std::string_view words);
    void write_title();
    void write_who_and_when();
    void write_call();
    void write_usage();
    void write_why();
    void write_loop();
    void write_content();
    void write_side(std::string_view label, const std::string& text, ContentSource source);
    void write_integrity();
    void write_findings();

    [[nodiscard]] std::string_view text(TextId id) const { return timeline_.text(id); }

    // «a, b c»: what is told of each, with its name before.
    [[nodiscard]] std::string list(
        std::initializer_list<std::pair<std::string_view, std::string_view>> items
    ) const;

    const Timeline& timeline_;
    const StepViews& views_;
    const std::uint32_t index_;
    const Step& step_;
    const StoryEvent& event_;
    TextPage& page_;
};

void WholeStep::write() {
    write_title();
    write_who_and_when();
    write_call();
    write_usage();
    write_why();
    write_loop();
    write_content();
    write_integrity();
    write_findings();
}

void WholeStep::add(std::string_view label, std::string_view words) {
    if (words.empty()) return;
    page_.wrapped("  " + std::string(label), label_width + 2, words, Ink::plain);
}

std::string WholeStep::list(
    std::initializer_list<std::pair<std::string_view, std::string_view>> items
) const {
    std::string out;
    for (const auto& [name, value] : items) {
        if (value.empty()) continue;
        if (!out.empty()) out += ", ";
        out += name;
        if (!name.empty()) out += ' ';
        out += value;
    }
    return out;
}

void WholeStep::write_title() {
    std::string words = fmt::format(
        "Step {} of {}: {} {}, {}",
        index_ + 1,
        timeline_.steps.size(),
        views_.letter(step_),
        name_of(step_.kind),
        views_.what(step_)
    );
    page_.wrapped("", 0, words, Ink::bold);
    std::string flags;
    for (const std::string& flag : views_.flags(step_))
        flags += (flags.empty() ? "" : ", ") + flag;
    add("flags", flags);
}

void WholeStep::write_who_and_when() {
    add("agent",
        list(
            {{"", views_.agent(step_)},
             {"id", text(event_.agent_id)},
             {"service", text(event_.service_name)},
             {"workflow", text(event_.workflow_id)}}
        ));
    std::string when = to_rfc3339(step_.start_at);
    const WallNanos lasted = step_.end_at - step_.start_at;
    if (step_.is_unfinished) {
        when += ", never closed";
    } else if (lasted > 0) {
        when += " for " + duration_words(lasted);
    }
    if (is_told(event_.ttft_ms)) {
        when += fmt::format(", first token after {:.0f}ms", event_.ttft_ms);
    }
    if (event_.has_time_fault) when += ", its end lies before its start";
    add("when", when);
    add("since begin", clock_words(step_.start_at - timeline_.totals.started_at));
    add("run",
        list(
            {{"", text(event_.run_id)},
             {"turn", text(event_.turn_id)},
             {"task", text(event_.task_id)},
             {"step", text(event_.step)},
             {"called by", text(event_.caller_step)}}
        ));
    if (step_.parent != no_index) {
        add("parent",
            fmt::format("step {}: {}", step_.parent + 1, views_.what(timeline_.steps[step_.parent]))
        );
    }
}

void WholeStep::write_call() {
    const std::string status =
        is_told(event_.http_status) ? std::to_string(event_.http_status) : std::string();
    add("outcome",
        list(
            {{"", outcome_word(event_.outcome)},
             {"class", text(event_.error_class)},
             {"HTTP", status},
             {"finish", text(event_.finish_reason)}}
        ));
    add("tool", list({{"", text(event_.tool_name)}, {"call", text(event_.tool_call_id)}}));
    add("args digest", text(event_.args_digest));
    add("result digest", text(event_.result_digest));
    add("model",
        list(
            {{"", text(event_.model)},
             {"by", text(event_.provider)},
             {"response", text(event_.response_id)}}
        ));
    if (step_.attempt >= 0 || step_.attempt_of != no_index) {
        std::string words = fmt::format("attempt {}", step_.attempt < 0 ? 0 : step_.attempt);
        if (is_told(event_.retry_max)) words += fmt::format(" of {}", event_.retry_max);
        if (step_.attempt_of != no_index) {
            words += fmt::format(", repeats step {}", step_.attempt_of + 1);
        }
        add("retry", words);
    }
}

void WholeStep::write_usage() {
    std::string tokens;
    const auto add_tokens = [&tokens](std::int64_t count, std::string_view name) {
        if (!is_told(count)) return;
        if (!tokens.empty()) tokens += ", ";
        fmt::format_to(std::back_inserter(tokens), "{} {}", count_words(count), name);
    };
    add_tokens(event_.tokens_prompt, "in");
    add_tokens(event_.tokens_completion, "out");
    add_tokens(event_.tokens_cache_read, "read from cache");
    add_tokens(event_.tokens_cache_write, "written to cache");
    add_tokens(event_.tokens_reasoning, "for reasoning");
    if (!tokens.empty() && event_.counted == Told::no) tokens += " (told elsewhere, not counted)";
    add("tokens", tokens);
    std::string cost;
    if (is_told(step_.cost_usd)) cost = "$" + money_words(step_.cost_usd);
    if (!cost.empty() && event_.cost_source != no_text) {
        cost += fmt::format(" ({})", text(event_.cost_source));
    }
    if (step_.cost_sum_usd > 0) {
        cost += fmt::format(
            "{}${} up to here", cost.empty() ? "" : ", ", money_words(step_.cost_sum_usd)
        );
    }
    if (is_told(step_.budget_left)) {
        cost += fmt::format("{}${} left", cost.empty() ? "" : ", ", money_words(step_.budget_left));
    }
    add("cost", cost);
    if (step_.changes_state) {
        const std::string_view before = text(step_.state_before);
        add("state",
            fmt::format("{} → {}", before.empty() ? "none" : before, text(step_.state_after)));
    } else if (step_.state_after != no_text) {
        add("state", fmt::format("{}, unchanged", text(step_.state_after)));
    }
}

void WholeStep::write_why() {
    if (event_.decision_chosen != no_text) {
        std::string words(text(event_.decision_chosen));
        std::string left;
        for (const std::string_view option : views_.options_not_taken(event_))
            left += (left.empty() ? "" : ", ") + std::string(option);
        if (!left.empty()) words += "; not taken: " + left;
        add("decision", words);
    }
    add("policy",
        list(
            {{"", text(event_.policy_decision)},
             {"by", text(event_.policy_source)},
             {"guardrail", text(event_.guardrail_name)}}
        ));
    add("handoff",
        list({{"from", text(event_.handoff_source)}, {"to", text(event_.handoff_target)}}));
    add("ends because", text(event_.termination_reason));
    std::string score;
    if (is_told(event_.eval_score)) score = fmt::format("{:g}", event_.eval_score);
    add("evaluation",
        list({{"", text(event_.eval_name)}, {"=", score}, {"", text(event_.eval_label)}}));
    add("guard", list({{"", text(event_.signal)}, {"", text(event_.severity)}}));
}

void WholeStep::write_loop() {
    if (step_.loop == no_index) return;
    const Loop& loop = timeline_.loops[step_.loop];
    std::string words = fmt::format(
        "L{} {}, x{}, steps {}–{}, {} ${}",
        static_cast<int>(loop.signal),
        name_of(loop.signal),
        loop.repeats,
        loop.first_step + 1,
        loop.last_step + 1,
        duration_words(loop.duration),
        money_words(loop.cost_usd)
    );
    if (loop.stop_step != no_index) {
        words += fmt::format(
            ", stopped by step {}: {}",
            loop.stop_step + 1,
            views_.what(timeline_.steps[loop.stop_step])
        );
    }
    add("loop", words);
}

void WholeStep::write_side(std::string_view label, const std::string& text, ContentSource source) {
    if (text.empty()) return;
    page_.line(page_.inked(Ink::bold, fmt::format("  {} ({})", label, name_of(source))));
    page_.content(4, text);
}

void WholeStep::write_content() {
    const StepContent content = views_.content(step_);
    write_side("input", content.input, content.source);
    write_side("output", content.output, content.source);
    write_side("error", content.error, content.source);
    add("content", content.note);
    std::string evidence = content.evidence;
    if (event_.evidence_commitment != no_text && is_told(event_.content_length)) {
        evidence += fmt::format(", {} bytes or a little less", event_.content_length);
    }
    if (content.evidence == "restricted") {
        evidence += fmt::format("; --evidence {} --reason TEXT shows it", index_ + 1);
    }
    add("evidence", evidence);
}

void WholeStep::write_integrity() {
    page_.line(page_.inked(Ink::bold, "  integrity"));
    add("  event_id", to_hex(event_.id));
    add("  trace", to_hex(event_.trace_id));
    add("  span", to_hex(event_.span_id));
    add("  gateway",
        fmt::format(
            "{}, epoch {}, seq {}",
            text(event_.gateway_id),
            event_.gateway_epoch,
            event_.gateway_seq
        ));
    if (event_.partition >= 0) {
        add("  stored", fmt::format("partition {}, offset {}", event_.partition, event_.offset));
    } else if (event_.offset >= 0) {
        add("  stored", fmt::format("line {}", event_.offset));
    }
    if (event_.received_at > 0) add("  received", to_rfc3339(event_.received_at));
    std::string classes;
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        const auto event_class = static_cast<EventClass>(i);
        if ((event_.classes & bit(event_class)) == 0) continue;
        if (!classes.empty()) classes += ", ";
        classes += name_of(event_class);
        const bool is_readable = timeline_.completeness.classes[i].is_readable;
        if ((event_.seen & bit(event_class)) == 0)
            classes += is_readable ? " (not there)" : " (not read)";
    }
    add("  classes", classes);
    add("  commitment", text(event_.evidence_commitment));
    if (is_told(event_.redactions)) add("  redactions", std::to_string(event_.redactions));
}

void WholeStep::write_findings() {
    for (const std::uint32_t number : views_.findings_at(index_)) {
        const Finding& finding = timeline_.findings[number];
        page_.wrapped(
            "  ! ", 4, finding_name(finding) + ": " + finding.text, ink_of(finding.severity)
        );
    }
}

}  // namespace

void write_whole_step(
    const Timeline& timeline, const StepViews& views, std::uint32_t index, TextPage& page
) {
    WholeStep(timeline, views, index, page).write();
}

}  // namespace spangate
