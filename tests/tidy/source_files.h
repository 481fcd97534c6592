// The program's own sources as text, for tests that hold habits rather than behaviour.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace spangate {

struct SourceFile {
    std::string path;  // from src/, as includes are written
    std::string room;  // first folder; main.cc stands in room `main`
    std::vector<std::string> lines;
};

[[nodiscard]] inline std::vector<std::string> lines_of(const std::filesystem::path& path) {
    std::vector<std::string> lines;
    std::ifstream stream(path);
    for (std::string line; std::getline(stream, line);) {
        lines.push_back(std::move(line));
    }
    return lines;
}

[[nodiscard]] inline std::vector<SourceFile> source_files() {
    const std::filesystem::path root = SPANGATE_SOURCE_DIR "/src";
    std::vector<SourceFile> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
        const std::string extension = entry.path().extension().string();
        if (!entry.is_regular_file() || (extension != ".h" && extension != ".cc")) continue;
        const std::string path = entry.path().lexically_relative(root).string();
        const std::size_t slash = path.find('/');
        const std::string room = slash == std::string::npos ? "main" : path.substr(0, slash);
        files.push_back({path, room, lines_of(entry.path())});
    }
    std::sort(files.begin(), files.end(), [](const SourceFile& a, const SourceFile& b) {
        return a.path < b.path;
    });
    return files;
}

// What stands between the quotes or brackets of an #include, with its first character: "a/b.h or
// <a/b.h. Empty for any other line.
[[nodiscard]] inline std::string included(const std::string& line) {
    constexpr std::string_view directive = "#include ";
    if (!line.starts_with(directive)) return {};
    return line.substr(directive.size(), line.find_last_of("\">") - directive.size());
}

// The line without its comment; a // inside a text counts as one, which is good enough here.
[[nodiscard]] inline std::string code_of(const std::string& line) {
    return line.substr(0, line.find("//"));
}

}  // namespace spangate
