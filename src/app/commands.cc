#include "app/commands.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "app/check.h"
#include "app/evidence.h"
#include "app/explain.h"
#include "app/reading_commands.h"
#include "app/redact.h"
#include "app/serve.h"
#include "app/spool.h"
#include "app/tail.h"
#include "app/topics.h"

namespace spangate {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 clean, 1 findings, 2 usage or configuration, 3 not found, 4 no rights, "
    "5 broker or input, 6 critical.";

void add_config(CLI::App& command, std::string& path, bool is_required) {
    CLI::Option* option = command.add_option("--config", path, "Configuration file (YAML)");
    if (is_required) option->required();
}

CLI::App* add_serve(CLI::App& app, ServeOptions& options) {
    CLI::App* command = app.add_subcommand("serve", "Run the gateway");
    add_config(*command, options.config_path, false);
    command
        ->add_option(
            "--dev-broker",
            options.dev_directory,
            "Start an in-process toy Kafka broker, and JSONL files in DIR that success waits for"
        )
        ->expected(0, 1)
        ->type_name("DIR");
    return command;
}

CLI::App* add_check(CLI::App& app, CheckOptions& options) {
    CLI::App* command = app.add_subcommand(
        "check", "Validate a configuration, or a table of its own: all faults at once"
    );
    add_config(*command, options.config_path, false);
    command->add_option(
        "--conventions", options.conventions_path, "A conventions file alone (YAML)"
    );
    command->add_option("--prices", options.prices_path, "A price file alone (YAML)");
    command->add_flag(
        "--print", options.prints, "Show the effective configuration, secrets masked"
    );
    command->add_option(
        "--redact-samples",
        options.samples_path,
        "Labelled texts (YAML or JSONL) that the redaction rules must judge rightly"
    );
    command->add_flag("--reference", options.prints_reference, "Print every key with its default");
    command->add_flag("--schema", options.prints_schema, "Print the JSON Schema for editors");
    return command;
}

CLI::App* add_explain(CLI::App& app, ExplainArguments& arguments) {
    CLI::App* command = app.add_subcommand(
        "explain", "Say of an OTLP body what becomes of each span and log record, and why"
    );
    command->add_option(
        "FILE", arguments.paths, "OTLP bodies, in order; none or -: standard input"
    );
    add_config(*command, arguments.config_path, false);
    command->add_option("--conventions", arguments.conventions_path, "A conventions file (YAML)");
    command->add_option("--prices", arguments.prices_path, "A price file (YAML)");
    command->add_option("--signal", arguments.signal, "traces or logs, where it cannot be seen");
    command->add_option("--span", arguments.span_id, "Only items whose span id begins so (hex)");
    command
        ->add_option(
            "--only",
            arguments.only,
            "Only items of a convention or with an event type; also: dropped, unnamed"
        )
        ->delimiter(',')
        ->allow_extra_args(false);
    command->add_flag("--json", arguments.prints_json, "JSON Lines for machines");
    command->add_flag("--totals", arguments.prints_totals_only, "The totals alone");
    command->add_flag("--show-content", arguments.shows_content, "Print content as it was sent");
    return command;
}

CLI::App* add_redact(CLI::App& app, RedactOptions& options) {
    CLI::App* command = app.add_subcommand(
        "redact", "Redact text, JSON or JSONL: standard input or FILE to standard output"
    );
    command->add_option("FILE", options.input_path, "What to redact; - is standard input");
    add_config(*command, options.config_path, false);
    command->add_flag(
        "--explain", options.explains, "Say each hit's rule, place and action (on standard error)"
    );
    command->add_flag(
        "--json", options.prints_json, "A JSON object for each document, findings and all"
    );
    command->add_flag("--lines", options.by_lines, "Each line is a document of its own");
    return command;
}

CLI::App* add_tail(CLI::App& app, TailArguments& arguments) {
    CLI::App* command = app.add_subcommand("tail", "Print events from Kafka or from JSONL files");
    add_config(*command, arguments.config_path, false);
    command->add_option("--brokers", arguments.brokers, "Kafka bootstrap addresses, host:port,…");
    command->add_option("--from", arguments.directory, "Directory of JSONL files instead of Kafka");
    command->add_option("--class", arguments.classes, "operational, detail, evidence")
        ->delimiter(',');
    command->add_option("--session", arguments.session_ids, "Only these sessions")->delimiter(',');
    command->add_option("--agent", arguments.agents, "Only these agents, by name or id")
        ->delimiter(',');
    command->add_option("--tool", arguments.tools, "Only calls of these tools")->delimiter(',');
    command->add_option("--tenant", arguments.tenant_id, "Only this tenant");
    command->add_option("--since", arguments.since, "Age such as 10m, or an RFC 3339 time");
    command->add_flag("--follow,-f", arguments.follows, "Go on with new events");
    command->add_flag("--json", arguments.prints_json, "The events themselves, one a line");
    command->add_flag(
        "--all-partitions",
        arguments.reads_all_partitions,
        "Read every partition: for topics that have grown since"
    );
    return command;
}

struct EvidenceCommands {
    CLI::App* group = nullptr;
    CLI::App* verify = nullptr;
};

EvidenceCommands add_evidence(
    CLI::App& app, EvidenceVerifyArguments& verify, EvidenceEraseArguments& erase
) {
    EvidenceCommands made;
    made.group = app.add_subcommand("evidence", "Verify evidence, or erase it by its keys");
    made.group->require_subcommand(1);
    CLI::App* command = made.verify = made.group->add_subcommand(
        "verify", "Recompute every commitment and compare it with operational and detail"
    );
    add_config(*command, verify.config_path, false);
    command->add_option("--brokers", verify.brokers, "Kafka bootstrap addresses, host:port,…");
    command->add_option("--from", verify.directory, "Directory of JSONL files instead of Kafka");
    command->add_option("--key-file", verify.key_file, "The tenants' keys: decrypt as well");
    command->add_option("--tenant", verify.tenant_id, "Only this tenant");
    command->add_option("--session", verify.session_id, "Only this session");
    command->add_option("--since", verify.since, "Age such as 10m, or an RFC 3339 time");
    command->add_flag("--json", verify.prints_json, "The report as one JSON object");
    command = made.group->add_subcommand(
        "erase", "Destroy the data keys of a tenant, a session or a user, for good"
    );
    add_config(*command, erase.config_path, true);
    command->add_option("--tenant", erase.tenant_id, "Whose evidence")->required();
    command->add_option("--session", erase.session_id, "Only this session's");
    command->add_option("--user-ref", erase.user_ref, "Only this user's, as events name it");
    command->add_option("--reason", erase.reason, "Why; stands in the audit record")->required();
    command->add_flag("--yes", erase.is_confirmed, "Do not ask");
    return made;
}

struct SpoolCommands {
    CLI::App* group = nullptr;
    CLI::App* check = nullptr;
    CLI::App* dump = nullptr;
};

CLI::App* add_spool_command(
    CLI::App& group, const char* name, const char* what, SpoolArguments& arguments
) {
    CLI::App* command = group.add_subcommand(name, what);
    add_config(*command, arguments.config_path, false);
    command->add_option("--from", arguments.directory, "The spool's directory, instead");
    command
        ->add_option(
            "--class", arguments.classes, "operational, detail, evidence, dead_letter; else all"
        )
        ->delimiter(',');
    command->add_flag("--json", arguments.prints_json, "JSON for machines");
    return command;
}

SpoolCommands add_spool(CLI::App& app, SpoolArguments& arguments) {
    SpoolCommands made;
    made.group = app.add_subcommand("spool", "Look at the records on disk, or put them in order");
    made.group->require_subcommand(1);
    made.check = add_spool_command(
        *made.group, "check", "Read all of it and say what is there and what is damaged", arguments
    );
    made.dump = add_spool_command(
        *made.group, "dump", "One line for each record that Kafka does not have yet", arguments
    );
    made.dump->add_flag(
        "--values",
        arguments.shows_values,
        "Print values too; those of evidence only with --class evidence"
    );
    add_spool_command(
        *made.group,
        "repair",
        "Put what is damaged aside and keep what is whole; no gateway may run on it",
        arguments
    );
    return made;
}

}  // namespace

int run_command(int argc, char** argv) {
    CLI::App app("spangate: agents' OTLP telemetry to typed, redacted events on Kafka", "spangate");
    app.set_version_flag("--version", SPANGATE_VERSION);
    app.require_subcommand(1);
    app.footer(exit_codes);

    ServeOptions serve_options;
    CheckOptions check_options;
    RedactOptions redact_options;
    TopicsOptions topics_options;
    ExplainArguments explain_arguments;
    TailArguments tail_arguments;
    CLI::App* serve_command = add_serve(app, serve_options);
    CLI::App* check_command = add_check(app, check_options);
    CLI::App* explain_command = add_explain(app, explain_arguments);
    CLI::App* topics_command = app.add_subcommand("topics", "Create or check the topics");
    topics_command->require_subcommand(1);
    CLI::App* create_command =
        topics_command->add_subcommand("create", "Create what is missing, then say what differs");
    CLI::App* drift_command = topics_command->add_subcommand("check", "Say what differs");
    add_config(*create_command, topics_options.config_path, true);
    add_config(*drift_command, topics_options.config_path, true);
    CLI::App* redact_command = add_redact(app, redact_options);
    CLI::App* tail_command = add_tail(app, tail_arguments);

    EvidenceVerifyArguments verify_arguments;
    EvidenceEraseArguments erase_arguments;
    const EvidenceCommands evidence = add_evidence(app, verify_arguments, erase_arguments);
    SpoolArguments spool_arguments;
    const SpoolCommands spool = add_spool(app, spool_arguments);
    CommandRun run_reading;
    add_reading_commands(app, run_reading);

    try {
        app.parse(argc, argv);
        serve_options.has_dev_broker = serve_command->count("--dev-broker") > 0;
        topics_options.creates = create_command->parsed();
        if (serve_command->parsed()) return static_cast<int>(serve(serve_options));
        if (check_command->parsed()) return static_cast<int>(check(check_options));
        if (topics_command->parsed()) return static_cast<int>(topics(topics_options));
        if (explain_command->parsed()) return static_cast<int>(explain(explain_arguments));
        if (evidence.group->parsed()) {
            return static_cast<int>(
                evidence.verify->parsed() ? verify_evidence(verify_arguments)
                                          : erase_evidence(erase_arguments)
            );
        }
        if (spool.group->parsed()) {
            return static_cast<int>(
                spool.check->parsed()  ? check_spool(spool_arguments)
                : spool.dump->parsed() ? dump_spool(spool_arguments)
                                       : repair_spool(spool_arguments)
            );
        }
        if (run_reading) return static_cast<int>(run_reading());
        if (redact_command->parsed()) return static_cast<int>(redact(redact_options));
        if (tail_command->parsed()) return static_cast<int>(tail(tail_arguments));
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);  // prints help, version, or what is wrong
        return static_cast<int>(code == 0 ? ExitCode::clean : ExitCode::usage);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "spangate: %s\n", error.what());
        return static_cast<int>(ExitCode::broken);
    }
    return static_cast<int>(ExitCode::usage);
}

}  // namespace spangate
