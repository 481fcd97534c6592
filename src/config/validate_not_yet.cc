// What the file may say and this version does not do. Each release shortens this file.
#include <fmt/format.h>

#include "config/validate.h"

namespace spangate {

void validate_not_yet(const Config& config, std::vector<RuleFault>& faults) {
    const auto refuse_if = [&](bool is_asked_for, std::string path, std::string_view instead) {
        if (!is_asked_for) return;
        faults.push_back({std::move(path), fmt::format("is not in this version; {}", instead)});
    };
    const RouteConfig& route = config.route;
    const ExportersConfig& exporters = config.exporters;
    refuse_if(route.mirror.enabled, "processors.route.mirror.enabled", "leave it false");
    refuse_if(
        exporters.kafka.encoding == "protobuf" && !exporters.jsonl.directory.empty(),
        "exporters.kafka.encoding",
        "write json beside a jsonl sink, whose files are JSON"
    );
    refuse_if(
        !exporters.kafka.sasl.oauth.empty(),
        "exporters.kafka.auth.sasl.oauth",
        "write the token to a file and name it in token_file"
    );
    refuse_if(
        config.interpret.session_memory.bind_wait != Millis{0},
        "processors.interpret.session_memory.bind_wait",
        "leave it 0"
    );
}

}  // namespace spangate
