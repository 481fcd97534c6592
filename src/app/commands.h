// The command line: one function per subcommand, and the exit codes they share.
#pragma once

namespace spangate {

// Exit codes of all commands (public interface).
enum class ExitCode : int {
    clean = 0,
    findings = 1,
    usage = 2,  // command line or configuration
    not_found = 3,
    no_rights = 4,
    broken = 5,  // broker or input
    critical = 6,
};

// Parses, runs one subcommand, returns its exit code. The only place that catches everything.
int run_command(int argc, char** argv);

}  // namespace spangate
