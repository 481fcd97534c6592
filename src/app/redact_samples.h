// `spangate check --redact-samples FILE`: labelled texts held against the configured rules, so that
// a rule that stops finding something, or starts finding what it should not, is seen before it
// ships. The file is YAML (a list, or a map with `samples`) or JSONL (one sample a line):
//
//   - text: write to jane.doe@example.com
//     expect: [email]                      # these rules hit, and no other
//   - text: write to jane.doe@example.com
//     expect: [{kind: email, value: jane.doe@example.com}]   # exactly these bytes; or begin, end
//   - text: order 4012-8888-01
//     expect: clean                        # nothing hits
//     key: order.id                        # optional: the attribute's key, which detectors look at
//     name: an order number                # optional: told when the sample fails
//
// config/redact-samples.example.yaml is one.
#pragma once

#include <string>

#include "app/commands.h"
#include "config/config.h"

namespace spangate {

// `clean` when every sample is as expected, `findings` with a line for each miss and false alarm,
// `usage` when the file is wrong (its places on stderr), `broken` when it cannot be read. No text
// of a sample is printed.
[[nodiscard]] ExitCode check_redact_samples(const std::string& path, const RedactConfig& config);

}  // namespace spangate
