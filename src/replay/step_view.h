// One step as every view tells it: the words, the input and the output, chosen in one place so that
// text, JSON and HTML never disagree.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "replay/replay.h"
#include "timeline/timeline.h"

namespace spangate {

// Where a step's content comes from, best first.
enum class ContentSource : std::uint8_t { none, detail, evidence };
inline constexpr std::array<std::string_view, 3> content_source_names = {
    "none", "detail", "evidence"};

[[nodiscard]] constexpr std::string_view name_of(ContentSource source) {
    return content_source_names[static_cast<std::size_t>(source)];
}

// Empty for none.
[[nodiscard]] std::string_view outcome_word(EventOutcome outcome);

struct StepContent {
    ContentSource source = ContentSource::none;
    std::string input;  // JSON or text, as stored
    std::string output;
    std::string error;  // what failed, in its own words
    std::string note;   // why there is none: «restricted», «not stored», …; else empty
    // Of raw content: «shown», or why not: «restricted», «erased …», …; empty: there is none.
    std::string evidence;
};

// One thread.
class StepViews {
  public:
    // Both outlive it.
    StepViews(Timeline& timeline, const ReplayView& view);
    ~StepViews();
    StepViews(const StepViews&) = delete;
    StepViews& operator=(const StepViews&) = delete;

    // «stripe_api.get_status → ok», «route → validator (of 3)»; not yet made harmless, as all that
    // follows.
    [[nodiscard]] std::string what(const Step& step) const;

    // The agent's name, else its id, else the service; «-» when nothing tells.
    [[nodiscard]] std::string_view agent(const Step& step) const;
    [[nodiscard]] std::string_view agent(const Lane& lane) const;

    // Of its kind; R for a call that repeats another.
    [[nodiscard]] char letter(const Step& step) const;

    // «LOOP L1», «STOP budget», «SKEW», …; of findings, those that are more than a note.
    [[nodiscard]] std::vector<std::string> flags(const Step& step) const;

    // All options of a decision, and those that were not chosen.
    [[nodiscard]] std::vector<std::string_view> options(const StoryEvent& event) const;
    [[nodiscard]] std::vector<std::string_view> options_not_taken(const StoryEvent& event) const;

    // Indexes of the findings that begin at the step; no_index: those of the session as a whole.
    [[nodiscard]] std::vector<std::uint32_t> findings_at(std::uint32_t step) const;

    // Of the first tool, prompt, document or state keys that the detail names; in that order.
    // Empty when the view shows no content.
    [[nodiscard]] StepContent content(const Step& step) const;

    // Whether raw content of the step was written.
    [[nodiscard]] bool has_evidence(const Step& step) const;

    // The primary event's id of a step: that of its evidence.
    [[nodiscard]] EventKey evidence_key(const Step& step) const;

    // The steps that the view shows, by index, in the order in which it shows them.
    [[nodiscard]] std::vector<std::uint32_t> chosen() const;

  private:
    struct Reading;

    [[nodiscard]] std::string told_by_gateway(const StoryEvent& event) const;
    [[nodiscard]] std::string call(const Step& step, const StoryEvent& event) const;
    [[nodiscard]] std::string repeat(const Step& step, const StoryEvent& event) const;
    [[nodiscard]] std::string inference(const StoryEvent& event) const;
    [[nodiscard]] std::string decision(const StoryEvent& event) const;
    [[nodiscard]] std::string policy(const StoryEvent& event) const;
    [[nodiscard]] std::string evaluation(const StoryEvent& event) const;
    [[nodiscard]] std::string ending(const StoryEvent& event) const;
    [[nodiscard]] bool is_wanted(const Step& step) const;
    [[nodiscard]] bool matches(const Step& step) const;
    [[nodiscard]] std::string why_no_detail(const Step& step) const;
    [[nodiscard]] std::uint32_t index_of(const Step& step) const;

    Timeline& timeline_;
    const ReplayView& view_;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> findings_;  // step, finding; sorted
    std::vector<std::pair<std::uint32_t, std::uint32_t>> stops_;     // step, loop; sorted
    std::unique_ptr<Reading> reading_;
};

}  // namespace spangate
