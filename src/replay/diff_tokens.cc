#include "replay/diff_tokens.h"

#include <array>

#include <xxhash.h>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::array<std::string_view, 8> outcome_names = {
    "", "ok", "error", "blocked", "rejected", "timeout", "cancelled", "invalid"};

std::uint64_t mixed(std::uint64_t seed, std::string_view text) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

std::uint64_t hash_of(const StepFacts& facts, std::uint64_t seed) {
    for (const auto& [name, value] : facts)
        seed = mixed(mixed(seed, name), value);
    return seed;
}

// The same for contents that differ in nothing but noise.
std::uint64_t bare_hash_of(const std::vector<ContentValue>& values) {
    if (values.empty()) return 0;
    std::uint64_t hash = 1;
    for (const ContentValue& value : values) {
        if (is_noise_path(value.path)) continue;
        hash = mixed(mixed(hash, value.path), bare_text_of(value.text).text);
    }
    return hash;
}

std::string number_of(double real) {
    return is_told(real) ? fmt::format("{}", real) : std::string();
}

std::string number_of(std::int64_t count) {
    return is_told(count) ? fmt::format("{}", count) : std::string();
}

// «k1:…» → «k1».
std::string_view key_of_first_digest(const Timeline& timeline) {
    for (const StoryEvent& event : timeline.events) {
        for (const TextId id : {event.args_digest, event.result_digest}) {
            const std::string_view digest = timeline.text(id);
            if (!digest.empty()) return digest.substr(0, digest.find(':'));
        }
    }
    return {};
}

}  // namespace

bool have_comparable_digests(const Timeline& a, const Timeline& b) {
    const std::string_view left = key_of_first_digest(a);
    const std::string_view right = key_of_first_digest(b);
    if (left.empty() || right.empty()) return true;  // nothing to compare
    return a.tenant_id == b.tenant_id && left == right;
}

DiffSide::DiffSide(Timeline& timeline, bool has_digests)
    : timeline_(timeline),
      views_(timeline, view_),
      has_digests_(has_digests) {
    ContentReader reader;
    tokens_.reserve(timeline.steps.size());
    for (std::uint32_t i = 0; i < timeline.steps.size(); ++i)
        tokens_.push_back(token_of(i, reader));
}

StepContent DiffSide::content(std::uint32_t step) const {
    return views_.content(timeline_.steps[step]);
}

std::string_view DiffSide::told(std::uint32_t step, TextId StoryEvent::*field) const {
    const Step& here = timeline_.steps[step];
    const TextId told = timeline_.events[here.event].*field;
    if (told != no_text || here.request == no_index) return timeline_.text(told);
    return timeline_.text(timeline_.events[here.request].*field);
}

std::string_view DiffSide::args_digest(std::uint32_t step) const {
    return has_digests_ ? told(step, &StoryEvent::args_digest) : std::string_view();
}

std::string_view DiffSide::args_shape_digest(std::uint32_t step) const {
    return has_digests_ ? told(step, &StoryEvent::args_shape_digest) : std::string_view();
}

std::string_view DiffSide::result_digest(std::uint32_t step) const {
    return has_digests_ ? told(step, &StoryEvent::result_digest) : std::string_view();
}

std::string_view DiffSide::chosen(std::uint32_t step) const {
    return told(step, &StoryEvent::decision_chosen);
}

StepFacts DiffSide::deed(std::uint32_t step) const {
    const StoryEvent& event = timeline_.event_of(timeline_.steps[step]);
    const TextId agent = event.agent_name != no_text ? event.agent_name : event.agent_id;
    return {
        {"kind", std::string(name_of(timeline_.steps[step].kind))},
        {"tool", std::string(told(step, &StoryEvent::tool_name))},
        // Ids made for each run are no names.
        {"agent", bare_text_of(timeline_.text(agent)).text},
    };
}

StepFacts DiffSide::asked(std::uint32_t step) const {
    const auto text = [&](TextId StoryEvent::*field) {
        return bare_text_of(told(step, field)).text;
    };
    return {
        {"model", text(&StoryEvent::model)},
        {"provider", text(&StoryEvent::provider)},
        {"options", text(&StoryEvent::decision_options)},
        {"from", text(&StoryEvent::handoff_source)},
        {"to", text(&StoryEvent::handoff_target)},
        {"guardrail", text(&StoryEvent::guardrail_name)},
        {"policy", text(&StoryEvent::policy_source)},
        {"evaluation", text(&StoryEvent::eval_name)},
    };
}

StepFacts DiffSide::got(std::uint32_t step) const {
    const Step& here = timeline_.steps[step];
    const StoryEvent& event = timeline_.event_of(here);
    const auto text = [&](TextId StoryEvent::*field) {
        return bare_text_of(told(step, field)).text;
    };
    StepFacts facts = {
        {"outcome", std::string(outcome_names[static_cast<std::size_t>(event.outcome)])},
        {"error", bare_text_of(timeline_.text(here.error_class)).text},
        {"http status", number_of(event.http_status)},
        {"chosen", text(&StoryEvent::decision_chosen)},
        {"decision", text(&StoryEvent::policy_decision)},
        {"finish reason", text(&StoryEvent::finish_reason)},
        {"termination", text(&StoryEvent::termination_reason)},
        {"label", text(&StoryEvent::eval_label)},
        {"score", number_of(event.eval_score)},
        {"documents", number_of(event.retrieval_count)},
        {"finished", here.is_unfinished ? "no" : ""},
    };
    if (here.kind == StepKind::state) {
        facts.emplace_back("state", std::string(timeline_.text(here.state_after)));
    }
    return facts;
}

StepToken DiffSide::token_of(std::uint32_t step, ContentReader& reader) {
    StepToken token;
    const StepFacts deed_facts = deed(step);
    token.kind = hash_of({deed_facts.front()}, 1);
    const std::string& name =
        deed_facts[1].second.empty() ? deed_facts[2].second : deed_facts[1].second;
    token.structure = mixed(token.kind, name);
    const StepContent content = views_.content(timeline_.steps[step]);
    const std::vector<ContentValue>& input = reader.values_of(content.input);
    values_.add(input, {step, false});
    const std::uint64_t input_hash = bare_hash_of(input);
    const std::vector<ContentValue>& output = reader.values_of(content.output);
    values_.add(output, {step, true});
    const std::uint64_t output_hash = bare_hash_of(output);

    const std::uint64_t asked_hash = hash_of(asked(step), hash_of(deed_facts, 2));
    const std::string_view args = args_digest(step);
    const std::string_view shape = args_shape_digest(step);
    const std::string_view result = result_digest(step);
    token.input = args.empty() ? asked_hash ^ input_hash : mixed(asked_hash, args);
    token.input_shape = input_hash != 0 ? asked_hash ^ input_hash : mixed(asked_hash, shape);
    const std::uint64_t got_hash = hash_of(got(step), 3);
    token.output = result.empty() ? got_hash ^ output_hash : mixed(got_hash, result);
    token.state = mixed(4, timeline_.text(timeline_.steps[step].state_after));
    return token;
}

}  // namespace spangate
