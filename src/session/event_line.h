// One event as a line for people. Everything in it is somebody else's text: control characters,
// bidirectional overrides and ill-formed UTF-8 are made harmless before they reach a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "session/event_fields.h"
#include "session/event_reader.h"

namespace spangate {

// Appends `text` with each control character (C0, DEL, C1), line separator and bidirectional
// control as \u00XX or \uXXXX, and ill-formed bytes as U+FFFD. JSON stays the same JSON.
void append_harmless(std::string_view text, std::string& out);

class EventLine {
  public:
    explicit EventLine(bool has_colours) : has_colours_(has_colours) {}

    // Without a newline; valid until the next call:
    //   2026-09-21T10:15:00.123Z operational tool_response s-1 agent=planner tool=search outcome=ok
    // A log record's detail also tells `event=` and `severity=`; bodies are never shown.
    // Sessions and agents take as many columns as the longest one so far, within bounds, so that
    // lines that follow each other are aligned.
    [[nodiscard]] std::string_view text_of(const StoredEvent& event);

    // The same of an event that is parsed already.
    [[nodiscard]] std::string_view text_of(EventClass event_class, const EventFields& fields);

  private:
    void begin_fact();
    void add(std::string_view name, std::string_view value);
    void add_aligned(std::string_view text, std::size_t& widest, std::size_t widest_max);
    void add_head(std::string_view name, std::string_view value);
    void add_facts(const EventFields& fields);
    void add_usage(const EventFields& fields);

    const bool has_colours_;
    EventFields fields_;
    std::string line_;
    std::size_t blanks_ = 0;  // due before the next fact
    std::size_t session_widest_ = 0;
    std::size_t agent_widest_ = 0;
};

}  // namespace spangate
