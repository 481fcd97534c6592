// How the contract's fields go into a StoryEvent, whichever encoding tells them. Included by this
// room's .cc files alone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "timeline/story_event.h"

namespace spangate {

// What a field's text or number becomes.
enum class StoryForm : std::uint8_t {
    text,
    count,
    real,
    time,
    flag,
    event_key,
    trace_key,
    span_key,
    number,  // of the gateway: its sequence and epoch
    type,
    source,
    time_source,
    outcome,
    texts,    // joined
    classes,  // a set
    none,     // read by nobody here, and part of the record all the same
};

// In which comparison of copies a field takes part.
enum class StoryPart : std::uint8_t {
    shared,     // stands on operational, and the same on detail
    of_detail,  // stands on detail alone
    telling,    // differs between tellings of one event
};

struct StoryField {
    std::string_view name;
    std::uint16_t number = 0;  // proto/spangate/v1/events.proto
    StoryForm form = StoryForm::none;
    StoryPart part = StoryPart::of_detail;

    union {
        char nothing = 0;
        TextId StoryEvent::*text;
        std::int64_t StoryEvent::*count;
        double StoryEvent::*real;
        Told StoryEvent::*flag;
        EventKey StoryEvent::*event_key;
        SpanKey StoryEvent::*span_key;
        std::uint64_t StoryEvent::*number_at;
    };
};

// Null: a field that this version does not know.
[[nodiscard]] const StoryField* find_story_field(std::string_view name);
[[nodiscard]] const StoryField* find_story_field(std::uint32_t number);

void set_text(const StoryField& field, std::string_view text, TextPool& texts, StoryEvent& event);
void set_integer(const StoryField& field, std::int64_t integer, StoryEvent& event);
void set_real(const StoryField& field, double real, StoryEvent& event);
void set_flag(const StoryField& field, bool flag, StoryEvent& event);

// One item of `texts` or `classes`; `joined` collects the former.
void add_item(
    const StoryField& field, std::string_view item, std::string& joined, StoryEvent& event
);

}  // namespace spangate
