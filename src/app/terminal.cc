#include "app/terminal.h"

#include <cstdlib>
#include <string_view>

#include <unistd.h>

namespace spangate {

bool wants_colours() {
    if (::isatty(STDOUT_FILENO) == 0) return false;
    // NOLINTNEXTLINE(concurrency-mt-unsafe): one thread
    const char* const no_colour = std::getenv("NO_COLOR");
    const char* const terminal = std::getenv("TERM");  // NOLINT(concurrency-mt-unsafe)
    const bool is_dumb = terminal != nullptr && std::string_view(terminal) == "dumb";
    return !is_dumb && (no_colour == nullptr || *no_colour == '\0');
}

}  // namespace spangate
