// The columns of HtmlStory; included by its sources alone.
#pragma once

#include "replay/html_story.h"

namespace spangate {

template <typename Of>
void HtmlStory::column(std::string_view column_name, Of of) {
    name(column_name);
    out_.raw('[');
    bool is_first = true;
    for (const std::uint32_t row : rows_) {
        if (!is_first) out_.raw(',');
        is_first = false;
        const Step& step = timeline_.steps[row];
        out_.number(of(step, timeline_.event_of(step)));
    }
    out_.raw(']');
}

template <typename Of>
void HtmlStory::sparse(std::string_view column_name, std::int64_t none, Of of) {
    name(column_name);
    out_.raw('[');
    std::size_t told = 0;
    bool is_first = true;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const Step& step = timeline_.steps[rows_[i]];
        const std::int64_t value = of(step, timeline_.event_of(step));
        if (value == none) continue;
        if (!is_first) out_.raw(',');
        is_first = false;
        out_.number(static_cast<std::int64_t>(i - told));
        out_.raw(',');
        out_.number(value);
        told = i;
    }
    out_.raw(']');
}

template <typename Of>
void HtmlStory::changes(std::string_view column_name, Of of) {
    std::int64_t before = 0;
    sparse(column_name, INT64_MIN, [&](const Step& step, const StoryEvent& event) {
        const std::int64_t value = of(step, event);
        if (value == before) return INT64_MIN;
        before = value;
        return value;
    });
}

template <typename Of>
void HtmlStory::reals(std::string_view column_name, Of of) {
    name(column_name);
    out_.raw('[');
    std::size_t told = 0;
    bool is_first = true;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const Step& step = timeline_.steps[rows_[i]];
        const double value = of(step, timeline_.event_of(step));
        if (!is_told(value)) continue;
        if (!is_first) out_.raw(',');
        is_first = false;
        out_.number(static_cast<std::int64_t>(i - told));
        out_.raw(',');
        out_.real(value);
        told = i;
    }
    out_.raw(']');
}

}  // namespace spangate
