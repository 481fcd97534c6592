// The facts of HtmlStory: what else a step's event tells, as name and value, in the order in which
// the page shows them. Steps of one kind tell much the same, so whole lists are kept once.
#include <array>
#include <iterator>

#include <fmt/format.h>

#include "replay/html_story.h"
#include "replay/html_story_columns.h"

namespace spangate {
namespace {

struct TextFact {
    std::string_view name;
    TextId StoryEvent::*value;
};

struct CountFact {
    std::string_view name;
    std::int64_t StoryEvent::*value;
};

struct RealFact {
    std::string_view name;
    double StoryEvent::*value;
};

constexpr std::array text_facts = {
    TextFact{"decision_chosen", &StoryEvent::decision_chosen},
    TextFact{"decision_options", &StoryEvent::decision_options},
    TextFact{"policy_decision", &StoryEvent::policy_decision},
    TextFact{"policy_source", &StoryEvent::policy_source},
    TextFact{"guardrail_name", &StoryEvent::guardrail_name},
    TextFact{"termination_reason", &StoryEvent::termination_reason},
    TextFact{"handoff_source", &StoryEvent::handoff_source},
    TextFact{"handoff_target", &StoryEvent::handoff_target},
    TextFact{"tool_name", &StoryEvent::tool_name},
    TextFact{"provider", &StoryEvent::provider},
    TextFact{"model", &StoryEvent::model},
    TextFact{"finish_reason", &StoryEvent::finish_reason},
    TextFact{"cost_source", &StoryEvent::cost_source},
    TextFact{"usage_role", &StoryEvent::usage_role},
    TextFact{"eval_name", &StoryEvent::eval_name},
    TextFact{"eval_label", &StoryEvent::eval_label},
    TextFact{"signal", &StoryEvent::signal},
    TextFact{"severity", &StoryEvent::severity},
    TextFact{"reason", &StoryEvent::reason},
    TextFact{"alias_session_id", &StoryEvent::alias_session_id},
    TextFact{"alias_reason", &StoryEvent::alias_reason},
    TextFact{"operation", &StoryEvent::operation},
    TextFact{"step", &StoryEvent::step},
    TextFact{"caller_step", &StoryEvent::caller_step},
    TextFact{"task_id", &StoryEvent::task_id},
    TextFact{"agent_id", &StoryEvent::agent_id},
    TextFact{"parent_agent_id", &StoryEvent::parent_agent_id},
    TextFact{"workflow_id", &StoryEvent::workflow_id},
    TextFact{"run_id", &StoryEvent::run_id},
    TextFact{"service_name", &StoryEvent::service_name},
    TextFact{"env", &StoryEvent::env},
    TextFact{"user_ref", &StoryEvent::user_ref},
    TextFact{"session_source", &StoryEvent::session_source},
};

constexpr std::array count_facts = {
    CountFact{"http_status", &StoryEvent::http_status},
    CountFact{"retry_count", &StoryEvent::retry_count},
    CountFact{"retry_max", &StoryEvent::retry_max},
    CountFact{"retrieval_count", &StoryEvent::retrieval_count},
    CountFact{"seq_from", &StoryEvent::seq_from},
    CountFact{"seq_to", &StoryEvent::seq_to},
};

// Mostly another one at each step: kept as columns, that lists may stay few.
constexpr std::array own_texts = {
    TextFact{"tool_call_id", &StoryEvent::tool_call_id},
    TextFact{"response_id", &StoryEvent::response_id},
    TextFact{"turn_id", &StoryEvent::turn_id},
    TextFact{"attempt_of_id", &StoryEvent::attempt_of},
};
constexpr std::array own_reals = {
    RealFact{"eval_score", &StoryEvent::eval_score},
    RealFact{"cost_so_far_usd", &StoryEvent::cost_so_far_usd},
};

// Names of the facts of other types, after those of the tables above.
constexpr std::array<std::string_view, 5> other_fact_names = {
    "event_type", "outcome", "guardrail_triggered", "time_source", "source"};

// [name, text, name, text, …] by number.
class FactList {
  public:
    explicit FactList(TextTable& texts) : texts_(texts) {}

    // Counts names whether they are told or not, so that each keeps its number.
    void add(std::string_view value) {
        if (!value.empty()) {
            const char* comma = json_.size() > 1 ? "," : "";
            fmt::format_to(
                std::back_inserter(json_), "{}{},{}", comma, name_, texts_.number_of(value)
            );
        }
        ++name_;
    }

    [[nodiscard]] const std::string& close() { return json_ += ']'; }

  private:
    TextTable& texts_;
    std::string json_ = "[";
    std::size_t name_ = 0;
};

std::string_view told_text(Told told) {
    if (told == Told::unknown) return {};
    return told == Told::yes ? "yes" : "no";
}

}  // namespace

void HtmlStory::write_facts() {
    name("fact_names");
    out_.raw("[\"");
    std::string_view between = "";
    const auto add_name = [&](std::string_view fact) {
        out_.raw(between);
        out_.raw(fact);
        between = "\",\"";
    };
    for (const TextFact& fact : text_facts)
        add_name(fact.name);
    for (const CountFact& fact : count_facts)
        add_name(fact.name);
    for (const std::string_view fact : other_fact_names)
        add_name(fact);
    out_.raw("\"]");

    TextTable lists;
    column("facts", [&](const Step&, const StoryEvent& event) {
        FactList list(texts_);
        for (const TextFact& fact : text_facts)
            list.add(timeline_.text(event.*fact.value));
        for (const CountFact& fact : count_facts) {
            const std::int64_t count = event.*fact.value;
            list.add(is_told(count) ? fmt::format_int(count).str() : std::string());
        }
        list.add(name_of(event.type));
        list.add(outcome_word(event.outcome));
        list.add(told_text(event.guardrail_triggered));
        list.add(name_of(event.time_source));
        list.add(name_of(event.source));
        return lists.number_of(list.close());
    });
    name("fact_lists");
    out_.raw("[[]");
    for (std::size_t i = 1; i < lists.texts().size(); ++i) {
        out_.raw(',');
        out_.raw(*lists.texts()[i]);
    }
    out_.raw(']');

    for (const TextFact& fact : own_texts) {
        sparse(fact.name, 0, [&](const Step&, const StoryEvent& event) {
            return text(event.*fact.value);
        });
    }
    for (const RealFact& fact : own_reals) {
        reals(fact.name, [&](const Step&, const StoryEvent& event) { return event.*fact.value; });
    }
    sparse("repeat_count", no_count, [](const Step&, const StoryEvent& event) {
        return event.repeat_count;
    });
}

}  // namespace spangate
