// Habits that a compiler does not hold: lengths, words, headers, the map.
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "tidy/source_files.h"

namespace spangate {
namespace {

constexpr std::size_t lines_max = 400;

// Files that were longer when this test was written. An entry may shrink or go, never grow; the
// test tells when one is too generous.
const std::map<std::string, std::size_t> longer_files = {};

const std::set<std::string> banned_words = {
    "std::regex",
    "std::endl",
    ".detach(",
    "sleep_for",
    "sleep_until",
    "std::rand",
    "FIXME",
    "TODO",
    "using namespace std;"};

std::string text_of(const std::filesystem::path& path) {
    std::string text;
    for (const std::string& line : lines_of(path)) {
        text += line + "\n";
    }
    return text;
}

}  // namespace

TEST_CASE("a file has at most 400 lines; the list of longer ones only shrinks") {
    std::set<std::string> seen;
    for (const SourceFile& file : source_files()) {
        INFO(file.path << " has " << file.lines.size() << " lines");
        const auto longer = longer_files.find(file.path);
        CHECK(file.lines.size() <= (longer == longer_files.end() ? lines_max : longer->second));
        if (longer == longer_files.end()) continue;
        seen.insert(file.path);
        CHECK(file.lines.size() > lines_max);
    }
    for (const auto& [path, lines] : longer_files) {
        INFO(path);
        CHECK(seen.contains(path));
    }
}

TEST_CASE("some words do not stand in src/") {
    for (const SourceFile& file : source_files()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            const std::string& line = file.lines[i];
            for (const std::string& word : banned_words) {
                INFO(file.path << ":" << i + 1 << ": " << word);
                const bool is_marker = word == "TODO" || word == "FIXME";
                CHECK((is_marker ? line : code_of(line)).find(word) == std::string::npos);
            }
        }
    }
}

TEST_CASE("a catch-all says why it may") {
    for (const SourceFile& file : source_files()) {
        for (std::size_t i = 0; i < file.lines.size(); ++i) {
            if (file.lines[i].find("catch (...)") == std::string::npos) continue;
            INFO(file.path << ":" << i + 1);
            const bool has_comment_beside = file.lines[i].find("//") != std::string::npos;
            const bool has_comment_below =
                i + 1 < file.lines.size() && file.lines[i + 1].find("//") != std::string::npos;
            CHECK((has_comment_beside || has_comment_below));
        }
    }
}

TEST_CASE("a header is included once and begins by saying what it is for") {
    for (const SourceFile& file : source_files()) {
        if (!file.path.ends_with(".h")) continue;
        INFO(file.path);
        CHECK(std::count(file.lines.begin(), file.lines.end(), "#pragma once") == 1);
        REQUIRE_FALSE(file.lines.empty());
        CHECK(file.lines[0].starts_with("//"));
    }
}

TEST_CASE("the map in src/README.md names every room, and no other") {
    const std::filesystem::path root = SPANGATE_SOURCE_DIR "/src";
    const std::string map = text_of(root / "README.md");
    for (const auto& entry : std::filesystem::directory_iterator(root)) {
        if (!entry.is_directory()) continue;
        INFO(entry.path().filename().string());
        CHECK(map.find("\n| `" + entry.path().filename().string() + "` |") != std::string::npos);
    }
    for (const std::string& line : lines_of(root / "README.md")) {
        if (!line.starts_with("| `")) continue;
        const std::string room = line.substr(3, line.find('`', 3) - 3);
        INFO(line);
        CHECK(std::filesystem::is_directory(root / room));
    }
}

TEST_CASE("every source of a room is built") {
    const std::filesystem::path root = SPANGATE_SOURCE_DIR "/src";
    for (const SourceFile& file : source_files()) {
        if (!file.path.ends_with(".cc") || file.room == "main") continue;
        const std::string list = text_of(root / file.room / "CMakeLists.txt");
        INFO(file.path);
        CHECK(list.find(file.path.substr(file.room.size() + 1)) != std::string::npos);
    }
}

TEST_CASE("a test file stands in the room it tests, and is built") {
    const std::filesystem::path root = SPANGATE_SOURCE_DIR "/tests";
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with("_test.cc")) continue;
        INFO(entry.path().lexically_relative(root).string());
        const std::filesystem::path list = entry.path().parent_path() / "CMakeLists.txt";
        REQUIRE(std::filesystem::exists(list));
        CHECK(text_of(list).find(name) != std::string::npos);
    }
}

}  // namespace spangate
