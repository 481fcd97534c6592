#include "app/redact.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <optional>

#include "app/filter_rules.h"
#include "app/redact_report.h"
#include "redact/text_redactor.h"

namespace spangate {
namespace {

// What is read as one document is held in memory some three times over.
constexpr std::size_t document_bytes_max = std::size_t{1} << 30;

ExitCode broken(const std::string& path, const char* what) {
    std::fprintf(stderr, "spangate redact: %s: %s\n", path.c_str(), what);
    return ExitCode::broken;
}

bool write(std::string_view text) {
    return std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
}

// One run of the filter.
class Filter {
  public:
    Filter(const RedactOptions& options, const FilterRules& rules)
        : options_(options),
          rules_(*rules.rules),
          texts_(*rules.rules, *rules.key),
          hits_(*rules.rules, *rules.key) {}

    // Writes `text` redacted; false when it could not be written. `line` is its first.
    [[nodiscard]] bool take(std::string_view text, std::size_t line) {
        std::fill(texts_.counts().begin(), texts_.counts().end(), 0U);
        const bool is_changed = texts_.redact(text, {}, redacted_);
        has_findings_ = has_findings_ || is_changed;
        const std::string_view shown = is_changed ? redacted_ : text;
        RedactReport report{rules_, text, line, shown, texts_.counts(), {}, options_.explains};
        if (options_.explains) report.hits = hits_.find(text);
        if (options_.prints_json) return write(json_of(report) + "\n");
        if (options_.explains) write_hits(report);
        return write(shown) && (!options_.by_lines || (write("\n") && std::fflush(stdout) == 0));
    }

    [[nodiscard]] bool has_findings() const { return has_findings_; }

  private:
    void write_hits(const RedactReport& report) const {
        const std::string text = text_of(report);
        std::fwrite(text.data(), 1, text.size(), stderr);
    }

    const RedactOptions& options_;
    const RuleSet& rules_;
    TextRedactor texts_;
    HitFinder hits_;
    std::string redacted_;
    bool has_findings_ = false;
};

// All of `input`, or nothing when it cannot be read or is longer than a document may be.
std::optional<std::string> read_whole(std::istream& input) {
    std::string text;
    std::array<char, 1 << 16> block{};
    while (input.read(block.data(), block.size()) || input.gcount() > 0) {
        text.append(block.data(), static_cast<std::size_t>(input.gcount()));
        if (text.size() > document_bytes_max) return std::nullopt;
    }
    if (input.bad()) return std::nullopt;
    return text;
}

ExitCode run(Filter& filter, const RedactOptions& options, std::istream& input) {
    bool is_written = true;
    if (options.by_lines) {
        std::size_t number = 0;
        for (std::string line; is_written && std::getline(input, line);)
            is_written = filter.take(line, ++number);
        if (input.bad()) return broken(options.input_path, "cannot be read");
    } else {
        const std::optional<std::string> text = read_whole(input);
        if (!text) {
            return broken(
                options.input_path, "cannot be read whole (at most 1 GiB); --lines reads any length"
            );
        }
        is_written = filter.take(*text, 1);
    }
    if (!is_written || std::fflush(stdout) != 0)
        return broken("standard output", "cannot be written");
    return filter.has_findings() ? ExitCode::findings : ExitCode::clean;
}

}  // namespace

ExitCode redact(const RedactOptions& options) {
    const std::optional<FilterRules> rules = make_filter_rules(options.config_path);
    if (!rules) return ExitCode::usage;
    if (rules->is_key_made) {
        std::fprintf(
            stderr,
            "spangate redact: no hash key configured; hashes are made with key %s of this run "
            "alone\n",
            std::string(rules->key->id()).c_str()
        );
    }
    Filter filter(options, *rules);
    if (options.input_path == "-") {
        std::ios::sync_with_stdio(false);
        return run(filter, options, std::cin);
    }
    std::error_code ignored;
    std::ifstream file(options.input_path, std::ios::binary);
    if (!file || std::filesystem::is_directory(options.input_path, ignored)) {
        return broken(options.input_path, "cannot be read");
    }
    return run(filter, options, file);
}

}  // namespace spangate
