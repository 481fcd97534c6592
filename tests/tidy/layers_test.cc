// The arrow rules of src/README.md, held against every include.
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tidy/source_files.h"

namespace spangate {
namespace {

using Rooms = std::set<std::string>;

// Whom a room may include beside itself. `rooms on the flow` see the ground floor and nobody of
// their own height.
const Rooms ground = {"base", "config", "model", "digest", "observe"};
const Rooms ground_and_net = {"base", "config", "model", "digest", "observe", "net"};

const Rooms reading_side = {"base", "config", "model", "digest", "observe", "session", "timeline"};
const Rooms reading_side_and_net = {
    "base", "config", "model", "digest", "observe", "net", "session", "timeline"};

const std::map<std::string, Rooms> may_include = {
    {"base", {}},
    {"config", {"base"}},
    {"model", {"base"}},
    {"digest", {"base", "config", "model"}},
    {"observe", {"base", "config"}},
    {"net", {"base", "config", "model", "observe"}},
    {"receive", ground_and_net},
    {"tee", ground_and_net},
    {"decode", ground},
    {"enrich", ground},
    {"interpret", ground},
    {"redact", ground},
    {"route", ground},
    {"spool", ground},
    {"deliver", {"base", "config", "model", "digest", "observe", "spool"}},
    {"session", ground},
    {"timeline", {"base", "config", "model", "digest", "observe", "session"}},
    {"replay", reading_side},
    {"report", {"base", "config", "model", "digest", "observe", "session", "timeline", "replay"}},
    {"guard", reading_side_and_net},
    {"pipeline",
     {"base",
      "config",
      "model",
      "digest",
      "observe",
      "decode",
      "enrich",
      "interpret",
      "redact",
      "route",
      "deliver"}},
    {"admin", ground_and_net},
    {"app",
     {"base",    "config",   "model",     "digest", "observe", "net",      "receive", "tee",
      "decode",  "enrich",   "interpret", "redact", "route",   "pipeline", "spool",   "deliver",
      "session", "timeline", "replay",    "report", "guard",   "admin"}},
    {"main", {"base", "app"}},
};

// Where a library's headers may stand: whole rooms, or single files. The longest prefix decides.
const std::map<std::string, std::set<std::string>> homes = {
    {"yaml-cpp/", {"config/yaml_tree.cc"}},
    {"boost/", {"net/"}},
    {"grpc", {"receive/grpc_", "tee/grpc_"}},
    {"librdkafka/", {"deliver/", "guard/", "session/"}},
    {"re2/", {"interpret/", "redact/"}},
    {"openssl/", {"digest/", "net/"}},
    {"spdlog/", {"observe/"}},
    {"prometheus/", {"observe/"}},
    {"simdjson.h", {"decode/", "digest/", "interpret/", "session/", "timeline/", "replay/"}},
    {"protozero/", {"decode/", "guard/", "receive/", "replay/", "route/", "session/", "tee/", "timeline/"}},
    {"google/", {}},
    {"zlib.h", {"receive/", "replay/"}},
    {"zstd.h", {"receive/", "deliver/", "session/", "timeline/"}},
    {"CLI/", {"app/"}},
};

bool is_at_home(const std::string& path, const std::set<std::string>& places) {
    return std::any_of(places.begin(), places.end(), [&](const std::string& place) {
        return path.starts_with(place);
    });
}

// Header-only and without a state of its own: a header that shows it burdens nobody.
const std::string light_library = "protozero/";

// The library of `homes` that an include takes, or nothing.
std::string library_of(const std::string& include) {
    if (!include.starts_with('<')) return {};
    for (const auto& [library, places] : homes) {
        if (include.substr(1).starts_with(library)) return library;
    }
    return {};
}

bool shows_library(const SourceFile& file, const std::set<std::string>& showing) {
    return std::any_of(file.lines.begin(), file.lines.end(), [&](const std::string& line) {
        const std::string include = included(line);
        const std::string library = library_of(include);
        return (!library.empty() && library != light_library) ||
               (include.starts_with('"') && showing.contains(include.substr(1)));
    });
}

std::string room_of_include(const std::string& include) {
    const std::size_t slash = include.find('/');
    return slash == std::string::npos ? "" : include.substr(1, slash - 1);
}

}  // namespace

TEST_CASE("an include points left, and no room includes a room of its own height") {
    for (const SourceFile& file : source_files()) {
        INFO(file.path);
        const auto known = may_include.find(file.room);
        REQUIRE(known != may_include.end());
        for (const std::string& line : file.lines) {
            const std::string include = included(line);
            if (!include.starts_with('"')) continue;
            const std::string target = room_of_include(include);
            INFO(line);
            CHECK((target == file.room || known->second.contains(target)));
        }
    }
}

TEST_CASE("the arrows have no circle") {
    // Rooms leave one by one once all they include has left.
    std::map<std::string, Rooms> waiting = may_include;
    std::size_t before = waiting.size() + 1;
    while (!waiting.empty() && waiting.size() < before) {
        before = waiting.size();
        for (auto room = waiting.begin(); room != waiting.end();) {
            const bool is_free =
                std::none_of(room->second.begin(), room->second.end(), [&](const auto& needed) {
                    return waiting.contains(needed);
                });
            room = is_free ? waiting.erase(room) : std::next(room);
        }
    }
    CHECK(waiting.empty());
}

TEST_CASE("a library's headers stay in their rooms") {
    for (const SourceFile& file : source_files()) {
        for (const std::string& line : file.lines) {
            const std::string library = library_of(included(line));
            if (library.empty()) continue;
            INFO(file.path << ": " << line);
            CHECK(is_at_home(file.path, homes.at(library)));
        }
    }
}

TEST_CASE("no room sees a library through another room's header") {
    // A header shows a library when it includes it, or a header that does.
    const std::vector<SourceFile> files = source_files();
    std::set<std::string> showing;
    std::size_t before = 0;
    do {
        before = showing.size();
        for (const SourceFile& file : files) {
            if (file.path.ends_with(".h") && shows_library(file, showing))
                showing.insert(file.path);
        }
    } while (showing.size() > before);

    for (const SourceFile& file : files) {
        for (const std::string& line : file.lines) {
            const std::string include = included(line);
            if (!include.starts_with('"') || room_of_include(include) == file.room) continue;
            INFO(file.path << ": " << line);
            CHECK_FALSE(showing.contains(include.substr(1)));
        }
    }
}

TEST_CASE("our own includes are in quotes and written from src/") {
    for (const SourceFile& file : source_files()) {
        for (const std::string& line : file.lines) {
            const std::string include = included(line);
            if (include.empty()) continue;
            INFO(file.path << ": " << line);
            CHECK(include.find("..") == std::string::npos);
            CHECK(
                (include.starts_with('<') || may_include.contains(room_of_include(include)) ||
                 include.starts_with("\"spangate/"))
            );
            CHECK((include.starts_with('"') || !may_include.contains(room_of_include(include))));
        }
    }
}

}  // namespace spangate
