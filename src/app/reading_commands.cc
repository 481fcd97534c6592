#include "app/reading_commands.h"

#include <CLI/CLI.hpp>
#include <memory>

namespace spangate {
namespace {

void add_reading(CLI::App& command, ReadingArguments& from) {
    command.add_option("--config", from.config_path, "Configuration file (YAML)");
    command.add_option("--brokers", from.brokers, "Kafka bootstrap addresses, host:port,…");
    command.add_option("--from", from.directory, "Directory of JSONL files instead of Kafka");
    command.add_option("--tenant", from.tenant_id, "Only this tenant");
    command.add_option("--since", from.since, "Age such as 10m, or an RFC 3339 time");
    command.add_flag(
        "--all-partitions",
        from.reads_all_partitions,
        "Read every partition: for topics that have grown since"
    );
}

// `arguments` live as long as the command that CLI11 keeps.
template <typename Arguments>
void run_with(
    CLI::App& command,
    const std::shared_ptr<Arguments>& arguments,
    ExitCode (*function)(const Arguments&),
    CommandRun& run
) {
    command.callback([arguments, function, &run] {
        run = [arguments, function] {
            return function(*arguments);
        };
    });
}

void add_replay(CLI::App& app, CommandRun& run) {
    CLI::App* command = app.add_subcommand(
        "replay", "The story of one session: steps, loops, cost, and what is missing"
    );
    auto arguments = std::make_shared<ReplayArguments>();
    command->add_option("SESSION", arguments->session_id, "The session's id")->required();
    add_reading(*command, arguments->from);
    command
        ->add_option(
            "--format", arguments->format, "auto, text, json, jsonl, html, perfetto or otlp"
        )
        ->check(CLI::IsMember({"auto", "text", "json", "jsonl", "html", "perfetto", "otlp"}));
    command->add_option("--output,-o", arguments->output_path, "File instead of standard output");
    command->add_option("--steps", arguments->steps, "Only steps A..B");
    command
        ->add_option(
            "--only", arguments->only, "Only these kinds: tool,decision,error,handoff,policy,…"
        )
        ->delimiter(',');
    command->add_option("--grep", arguments->grep, "Only steps that contain this text");
    command->add_option("--goto", arguments->go_to, "Only step N, with all that is known of it");
    command->add_option(
        "--until-state", arguments->until_state, "Only up to the step that reached this state"
    );
    command->add_flag("--reverse", arguments->is_reversed, "The newest step first");
    command->add_flag("--follow,-f", arguments->follows, "Go on with new steps, the guard running");
    command->add_flag("--verify", arguments->verifies, "Findings only: is the session complete?");
    command->add_option(
        "--evidence", arguments->evidence, "Show raw content of step N, of A..B or of all"
    );
    command->add_option("--reason", arguments->reason, "Why evidence is read; is audited first");
    command->add_option(
        "--key-file", arguments->key_file, "The tenants' keys, for sealed evidence"
    );
    command->add_option("--budget", arguments->budget_usd, "Budget in USD, where events tell none");
    command->add_option("--loop-k", arguments->loop_k, "Repeats that make a loop");
    command->add_flag("--unfold", arguments->unfolds_loops, "Show each step of a loop");
    command->add_flag(
        "--content", arguments->lists_content, "Text: a line of input and of output under each step"
    );
    run_with(*command, arguments, replay, run);
}

void add_sessions(CLI::App& app, CommandRun& run) {
    CLI::App* command = app.add_subcommand(
        "sessions",
        "List sessions, the worst first: critical signals or gaps, then warnings; then by errors, "
        "loops, cost, newest"
    );
    auto arguments = std::make_shared<SessionsArguments>();
    add_reading(*command, arguments->from);
    command->add_option("--sort", arguments->sort, "worst, cost, errors, loops, duration or newest")
        ->check(CLI::IsMember({"worst", "cost", "errors", "loops", "duration", "newest"}));
    command->add_option("--limit", arguments->limit, "How many; 0: all");
    command->add_flag("--json", arguments->prints_json, "JSON Lines for machines");
    run_with(*command, arguments, list_sessions, run);
}

void add_diff(CLI::App& app, CommandRun& run) {
    CLI::App* command = app.add_subcommand("diff", "Where two sessions part, and what follows");
    auto arguments = std::make_shared<DiffArguments>();
    command->add_option("A", arguments->left, "A session's id")->required();
    command->add_option("B", arguments->right, "Another session's id")->required();
    add_reading(*command, arguments->from);
    command->add_option("--align", arguments->alignment, "tool-args, state or position")
        ->check(CLI::IsMember({"tool-args", "state", "position"}));
    command->add_flag("--all", arguments->shows_all, "Equal steps too");
    command->add_flag("--json", arguments->prints_json, "JSON for machines");
    run_with(*command, arguments, diff, run);
}

void add_report(CLI::App& app, CommandRun& run) {
    CLI::App* command = app.add_subcommand("report", "Totals per session, agent, model and tenant");
    auto arguments = std::make_shared<ReportArguments>();
    add_reading(*command, arguments->from);
    command->add_option("--session", arguments->session_id, "Only this session");
    command->add_option("--format", arguments->format, "text, json or html")
        ->check(CLI::IsMember({"text", "json", "html"}));
    command->add_option("--output,-o", arguments->output_path, "File instead of standard output");
    run_with(*command, arguments, report, run);
}

void add_guard(CLI::App& app, CommandRun& run) {
    CLI::App* command = app.add_subcommand(
        "guard", "Watch running sessions for loops and budgets; write policy events"
    );
    auto arguments = std::make_shared<GuardArguments>();
    add_reading(*command, arguments->from);
    command->add_flag("--once", arguments->checks_once, "Read what is there, tell, and end");
    run_with(*command, arguments, guard, run);
}

}  // namespace

void add_reading_commands(CLI::App& app, CommandRun& run) {
    add_replay(app, run);
    add_sessions(app, run);
    add_diff(app, run);
    add_report(app, run);
    add_guard(app, run);
}

}  // namespace spangate
