// `spangate redact`: the redaction engine as a filter for people, so that rules can be tried before
// they ship. Reads text, JSON or JSONL; writes it redacted, as detail would show its strings.
#pragma once

#include <string>

#include "app/commands.h"

namespace spangate {

struct RedactOptions {
    std::string config_path;       // its processors.redact; empty: the defaults
    std::string input_path = "-";  // - is standard input
    bool explains = false;         // each hit: rule, place, action; on stderr unless prints_json
    bool prints_json = false;      // a JSON object for each document in place of the text
    bool by_lines = false;         // each line is a document of its own, written as soon as read
};

// `clean` when nothing was hit, `findings` when something was, `usage` for a configuration that is
// wrong, `broken` when the input cannot be read or the output not written.
[[nodiscard]] ExitCode redact(const RedactOptions& options);

}  // namespace spangate
