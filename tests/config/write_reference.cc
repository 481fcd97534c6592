// Writes config/spangate.reference.yaml or config/spangate.schema.json to standard output; the
// target `update_config_files` writes both into the source tree.
#include <cstdio>
#include <string>
#include <string_view>

#include "config/load_config.h"

int main(int arguments_count, char** arguments) {
    const std::string_view what = arguments_count == 2 ? arguments[1] : "";
    if (what != "reference" && what != "schema") {
        std::fputs("usage: spangate_config_reference reference|schema\n", stderr);
        return 2;
    }
    const std::string text =
        what == "reference" ? spangate::config_reference() : spangate::config_json_schema();
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size() ? 0 : 1;
}
