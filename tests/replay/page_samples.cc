// Writes pages of made sessions into a directory, for the browser tests (tests/e2e) and for people
// who change the page: replay_page_samples DIRECTORY.
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>

#include "replay/replay.h"
#include "support/made_sessions.h"

namespace spangate {
namespace {

void write_page(const std::filesystem::path& directory, const char* name, Timeline timeline) {
    ReplayView view;
    view.made_at = story_begin + 3'600 * story_second;
    view.command = "spangate replay " + timeline.session_id;
    if (timeline.session_id.find(' ') != std::string::npos) view.command.clear();
    const std::filesystem::path path = directory / (std::string(name) + ".html");
    std::ofstream out(path, std::ios::binary);
    const std::clock_t before = std::clock();
    write_html(timeline, view, out);
    out.close();
    const double seconds = static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC;
    fmt::print("{} {} bytes {:.3f} s CPU\n", name, std::filesystem::file_size(path), seconds);
}

}  // namespace
}  // namespace spangate

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: replay_page_samples DIRECTORY\n", stderr);
        return 2;
    }
    using namespace spangate;
    const std::filesystem::path directory = argv[1];
    write_page(directory, "payment", payment_story());
    write_page(directory, "empty", TimelineForTest("sess_empty").finish());
    write_page(directory, "hostile", hostile_session());
    write_page(directory, "steps-1000", busy_session(1'000));
    write_page(directory, "steps-100000", busy_session(100'000));
    return 0;
}
