#include "config/substitution.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

namespace spangate {
namespace {

constexpr std::size_t substituted_file_bytes_max = std::size_t{1} << 20;

bool is_variable_name(std::string_view name) {
    if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
    for (const char c : name) {
        const bool is_word =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!is_word) return false;
    }
    return true;
}

tl::unexpected<Error> wrong(std::string message) {
    return fail(ErrorCode::invalid_argument, std::move(message));
}

Result<std::string> variable_value(std::string_view reference) {
    const std::size_t separator = reference.find(":-");
    const std::string name(reference.substr(0, separator));
    if (!is_variable_name(name)) {
        return wrong("not a variable's name in ${env:…}; write ${env:NAME} or ${env:NAME:-default}"
        );
    }
    // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing in the program changes the environment.
    const char* value = std::getenv(name.c_str());
    if (separator != std::string_view::npos && (value == nullptr || *value == '\0')) {
        return std::string(reference.substr(separator + 2));
    }
    if (value == nullptr) {
        return wrong(fmt::format(
            "the environment variable {0} is not set; set it, or write ${{env:{0}:-default}}", name
        ));
    }
    return std::string(value);
}

Result<std::string> file_value(std::string_view path) {
    if (path.empty()) return wrong("no path in ${file:…}; write ${file:PATH}");
    Result<std::string> content = read_bounded_file(std::string(path), substituted_file_bytes_max);
    if (!content) return content;
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    return content;
}

Result<std::string> value_of(std::string_view reference) {
    constexpr std::string_view variable = "env:";
    constexpr std::string_view file = "file:";
    if (reference.starts_with(variable)) return variable_value(reference.substr(variable.size()));
    if (reference.starts_with(file)) return file_value(reference.substr(file.size()));
    if (is_variable_name(reference)) {
        return wrong("write ${env:NAME} instead of ${NAME}");
    }
    return wrong(
        "only ${env:NAME}, ${env:NAME:-default} and ${file:PATH} are known; write $${ for a "
        "literal ${"
    );
}

}  // namespace

Result<SubstitutedText> substitute(std::string_view text) {
    SubstitutedText result;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t dollar = text.find('$', at);
        result.text += text.substr(at, dollar - at);
        if (dollar == std::string_view::npos) break;
        const char next = dollar + 1 < text.size() ? text[dollar + 1] : '\0';
        if (next != '{') {
            result.text += '$';
            at = dollar + (next == '$' ? 2 : 1);
            continue;
        }
        const std::size_t end = text.find('}', dollar);
        if (end == std::string_view::npos) return wrong("${ without its }; write $${ for itself");
        const Result<std::string> value = value_of(text.substr(dollar + 2, end - dollar - 2));
        if (!value) return tl::unexpected<Error>(value.error());
        result.text += *value;
        result.has_substitution = true;
        at = end + 1;
    }
    return result;
}

std::string escape_substitution(std::string_view text) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        escaped += text[i];
        const bool is_special =
            text[i] == '$' && i + 1 < text.size() && (text[i + 1] == '{' || text[i + 1] == '$');
        if (is_special) escaped += '$';
    }
    return escaped;
}

Result<std::string> read_bounded_file(const std::string& path, std::size_t bytes_max) {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
        return fail(ErrorCode::io, fmt::format("cannot read {}: it is a directory", path));
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
        return fail(ErrorCode::io, fmt::format("cannot read {}: no such file, or no rights", path));
    }
    std::string content(bytes_max + 1, '\0');
    stream.read(content.data(), static_cast<std::streamsize>(content.size()));
    if (stream.bad()) return fail(ErrorCode::io, fmt::format("cannot read {}", path));
    content.resize(static_cast<std::size_t>(stream.gcount()));
    if (content.size() > bytes_max) {
        return fail(
            ErrorCode::too_large, fmt::format("{} is larger than {} bytes", path, bytes_max)
        );
    }
    return content;
}

}  // namespace spangate
