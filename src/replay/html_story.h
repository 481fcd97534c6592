// The page's data but content: one JSON object of columns over the shown steps and of string
// tables, decoded once by page/story.js, which tells the meaning of each column. About 130 bytes a
// step. Steps are named by their numbers, from 1; 0 is none.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "replay/html_output.h"
#include "replay/replay.h"
#include "replay/step_view.h"
#include "timeline/timeline.h"

namespace spangate {

// Texts that repeat, kept once; 0 is the empty one.
class TextTable {
  public:
    TextTable();

    [[nodiscard]] std::uint32_t number_of(std::string_view text);

    // In the order of their numbers.
    [[nodiscard]] const std::vector<const std::string*>& texts() const { return texts_; }

  private:
    std::unordered_map<std::string, std::uint32_t> numbers_;  // nodes stay where they are
    std::vector<const std::string*> texts_;
};

class HtmlStory {
  public:
    // All outlive it; `rows` are the shown steps' indices, rising.
    HtmlStory(
        const Timeline& timeline,
        const StepViews& views,
        const std::vector<std::uint32_t>& rows,
        HtmlOutput& out
    )
        : timeline_(timeline),
          views_(views),
          rows_(rows),
          out_(out) {}

    // The JSON object.
    void write(const ReplayView& view);

  private:
    void write_head(const ReplayView& view);
    void write_completeness();
    void write_totals();
    void write_lanes();
    void write_loops();
    void write_findings();
    void write_steps();
    void write_usage();
    void write_links();
    void write_state();
    void write_integrity();
    void write_keys();
    void write_digests();
    void write_facts();
    void write_texts();

    [[nodiscard]] std::int64_t text(TextId id) { return texts_.number_of(timeline_.text(id)); }

    // "name":[…], one number a row; `of` gets the step and its event.
    template <typename Of>
    void column(std::string_view name, Of of);

    // "name":[rows since the last told one, value, …], of the rows where `of` is not `none`.
    template <typename Of>
    void sparse(std::string_view name, std::int64_t none, Of of);

    // The same, of the rows where the value is another than the row's before.
    template <typename Of>
    void changes(std::string_view name, Of of);

    // The same, of the rows where the real is told.
    template <typename Of>
    void reals(std::string_view name, Of of);

    void name(std::string_view text);

    const Timeline& timeline_;
    const StepViews& views_;
    const std::vector<std::uint32_t>& rows_;
    HtmlOutput& out_;
    TextTable texts_;
};

}  // namespace spangate
