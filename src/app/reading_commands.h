// The command lines of the reading side: replay, sessions, diff, report, guard.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "app/commands.h"
#include "app/reading_place.h"

namespace CLI {
class App;
}

namespace spangate {

struct ReplayArguments {
    ReadingArguments from;
    std::string session_id;
    std::string format = "auto";  // auto | text | json | jsonl | html | perfetto | otlp
    std::string output_path;      // --output; empty: standard output
    std::string steps;            // A..B
    std::vector<std::string> only;
    std::string grep;
    std::uint32_t go_to = 0;  // --goto N
    std::string until_state;
    std::string evidence;  // step number, A..B or all
    std::string reason;    // why evidence is read
    std::string key_file;  // the tenants' keys
    double budget_usd = 0;
    std::uint32_t loop_k = 0;  // --loop-k: L1's threshold; 0: the configuration's
    bool is_reversed = false;
    bool follows = false;
    bool verifies = false;  // findings only
    bool unfolds_loops = false;
    bool lists_content = false;  // input and output under each step
};

struct SessionsArguments {
    ReadingArguments from;
    std::string sort = "worst";  // worst | cost | errors | loops | duration | newest
    std::uint32_t limit = 50;
    bool prints_json = false;
};

struct DiffArguments {
    ReadingArguments from;
    std::string left;
    std::string right;
    std::string alignment = "tool-args";  // tool-args | state | position
    bool shows_all = false;
    bool prints_json = false;
};

struct ReportArguments {
    ReadingArguments from;
    std::string session_id;
    std::string format = "text";  // text | json | html
    std::string output_path;
};

struct GuardArguments {
    ReadingArguments from;
    bool checks_once = false;  // reads what is there, tells, and ends
};

[[nodiscard]] ExitCode replay(const ReplayArguments& arguments);
[[nodiscard]] ExitCode list_sessions(const SessionsArguments& arguments);
[[nodiscard]] ExitCode diff(const DiffArguments& arguments);
[[nodiscard]] ExitCode report(const ReportArguments& arguments);
[[nodiscard]] ExitCode guard(const GuardArguments& arguments);

// What the parsed command line asks for, once it is parsed.
using CommandRun = std::function<ExitCode()>;

// Adds the five to `app`; the one that is given sets `run`.
void add_reading_commands(CLI::App& app, CommandRun& run);

}  // namespace spangate
