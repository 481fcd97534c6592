// The views of one Timeline. Each writes what the caller could read and nothing else; text that
// comes from agents is made harmless for where it goes (terminal, markup, JSON).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "base/clock.h"
#include "timeline/timeline.h"

namespace spangate {

enum class ReplayFormat : std::uint8_t { text, json, jsonl, html, perfetto, otlp };

// Evidence that the caller asked for and may read, by the primary event's id; its read audit is
// written already.
struct ShownEvidence {
    std::string parts_json;  // empty when it did not open
    std::string why_not;     // «erased», «no rights», …
};

struct ReplayView {
    std::uint32_t first_step = 1;  // from 1
    std::uint32_t last_step = UINT32_MAX;
    std::vector<StepKind> only;  // empty: all
    std::string grep;            // in names, digests, error classes and shown content; empty: all
    bool is_reversed = false;
    bool folds_loops = true;
    bool shows_content = true;   // input and output of each step, from detail or evidence
    bool lists_content = false;  // text: two lines of it under each step
    bool shows_whole = false;    // text: all that is known of each step
    bool findings_only = false;  // text and JSON: no steps
    bool has_colours = false;
    std::uint32_t columns = 100;
    WallNanos made_at = 0;  // for headers; 0: not told, so that output is reproducible
    std::string command;    // how this view was asked for
    std::map<EventKey, ShownEvidence> evidence;
};

void write_text(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_json(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_jsonl(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_perfetto(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_otlp(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_html(Timeline& timeline, const ReplayView& view, std::ostream& out);

// A story that is still going on, in pieces: a head once, then steps as they come, then the end.
struct LiveSteps {
    std::vector<std::uint32_t> steps;          // indexes, in the order of the story
    std::vector<std::uint32_t> findings;       // indexes of those not told before
    std::uint32_t belongs_above = UINT32_MAX;  // steps before this one come late: «↑»
    bool has_head = false;                     // of the columns
};

void write_text_live(
    Timeline& timeline, const ReplayView& view, const LiveSteps& live, std::ostream& out
);
void write_text_end(Timeline& timeline, const ReplayView& view, std::ostream& out);
void write_jsonl_live(
    Timeline& timeline, const ReplayView& view, const LiveSteps& live, std::ostream& out
);

}  // namespace spangate
