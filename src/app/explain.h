// `spangate explain`: OTLP bodies through the real rooms, and why each span and log record became
// what it became. Several files are one stream through one interpreter, so that memory, late keys,
// aliases and twins are told as well. Nothing is sent anywhere.
#pragma once

#include <string>
#include <vector>

#include "app/commands.h"

namespace spangate {

struct ExplainArguments {
    std::vector<std::string> paths;  // none, or `-`: standard input
    std::string config_path;
    std::string conventions_path;   // over the configuration's
    std::string prices_path;        // likewise
    std::string signal;             // traces, logs; empty: found
    std::string span_id;            // only items whose span id begins so
    std::vector<std::string> only;  // conventions, event types, `dropped`, `unnamed`
    bool prints_json = false;
    bool shows_content = false;
    bool prints_totals_only = false;
};

[[nodiscard]] ExitCode explain(const ExplainArguments& arguments);

}  // namespace spangate
