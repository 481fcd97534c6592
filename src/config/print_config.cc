// The configuration as YAML: bare (`check --print`), or with a comment above every key (the
// reference). Both load again.
#include <array>

#include <fmt/format.h>

#include "config/load_config.h"
#include "config/setting.h"
#include "config/substitution.h"
#include "config/units.h"

namespace spangate {
namespace {

constexpr std::string_view mask = "\"***\"";
constexpr std::size_t comment_columns_max = 98;

bool is_plain_char(char c) {
    constexpr std::string_view marks = "_./:@+-";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
}

// True when the text needs no quotes and no reader takes it for a number, a truth or nothing.
bool is_plain(std::string_view text) {
    constexpr std::array<std::string_view, 9> words = {
        "true", "false", "null", "yes", "no", "on", "off", "y", "n"};
    if (text.empty() || text.ends_with(':')) return false;
    bool has_letter = false;
    for (const char c : text) {
        if (!is_plain_char(c)) return false;
        has_letter = has_letter || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == ':';
    }
    for (const std::string_view word : words) {
        if (text == word) return false;
    }
    constexpr std::string_view first_marks = "-:@+.";
    return has_letter && first_marks.find(text[0]) == std::string_view::npos;
}

std::string yaml_text(std::string_view text) {
    if (is_plain(text)) return std::string(text);
    std::string quoted = "\"";
    for (const char c : escape_substitution(text)) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
            quoted += c;
        } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        } else {
            quoted += c;
        }
    }
    return quoted + '"';
}

std::string yaml_list(const std::vector<std::string>& values) {
    std::string line = "[";
    for (const std::string& value : values) {
        line += fmt::format("{}{}", line.size() > 1 ? ", " : "", yaml_text(value));
    }
    return line + "]";
}

// What a comment adds to the doc: the values allowed.
std::string limits_text(const Setting& setting) {
    const auto words_text = [](const std::vector<std::string_view>& words) {
        std::string line;
        for (const std::string_view word : words) {
            line += line.empty() ? " One of: " : ", ";
            line += word.empty() ? "\"\"" : word;
        }
        return line.empty() ? line : line + ".";
    };
    const auto range_text = [](const std::string& least, const std::string& most) {
        return fmt::format(" From {} to {}.", least, most);
    };
    return std::visit(
        PerShape{
            [&](const Count& shape) {
                return range_text(std::to_string(shape.least), std::to_string(shape.most));
            },
            [&](const Real& shape) {
                return range_text(fmt::format("{}", shape.least), fmt::format("{}", shape.most));
            },
            [&](const Size& shape) {
                return range_text(size_text(shape.least), size_text(shape.most));
            },
            [&](const Duration& shape) {
                return range_text(duration_text(shape.least), duration_text(shape.most));
            },
            [&](const Text& shape) { return words_text(shape.allowed); },
            [&](const TextList& shape) { return words_text(shape.allowed); },
            [](const Flag&) { return std::string(); },
            [](const SecretText&) { return std::string(" Never printed."); },
            [](const TextMap&) { return std::string(); },
            [](const PatternList&) { return std::string(); },
            [](const Group&) { return std::string(); },
        },
        setting.shape
    );
}

class YamlWriter {
  public:
    explicit YamlWriter(bool has_docs) : has_docs_(has_docs) {}

    void write_group(const Group& group) {
        for (const Setting& setting : group.settings) {
            if (has_docs_) write_comment(fmt::format("{}{}", setting.doc, limits_text(setting)));
            std::visit([&](const auto& shape) { write(setting.key, shape); }, setting.shape);
            if (has_docs_ && indent_ == 0) text_ += '\n';
        }
    }

    [[nodiscard]] std::string take() { return std::move(text_); }

  private:
    void write_line(std::string_view line) {
        text_.append(indent_, ' ');
        text_ += line;
        text_ += '\n';
    }

    void write_comment(std::string_view words) {
        while (!words.empty()) {
            const std::size_t room = comment_columns_max - indent_;
            std::size_t end = words.size();
            if (end > room) end = words.rfind(' ', room);
            if (end == std::string_view::npos || end == 0) end = words.size();
            write_line(fmt::format("# {}", words.substr(0, end)));
            words.remove_prefix(std::min(end + 1, words.size()));
        }
    }

    void write_value(std::string_view key, std::string_view value) {
        write_line(fmt::format("{}: {}", key, value));
    }

    void write(std::string_view key, const Flag& shape) {
        write_value(key, *shape.value ? "true" : "false");
    }

    void write(std::string_view key, const Count& shape) {
        write_value(key, std::to_string(*shape.value));
    }

    void write(std::string_view key, const Real& shape) {
        write_value(key, fmt::format("{}", *shape.value));
    }

    void write(std::string_view key, const Size& shape) {
        write_value(key, size_text(*shape.value));
    }

    void write(std::string_view key, const Duration& shape) {
        write_value(key, duration_text(*shape.value));
    }

    void write(std::string_view key, const Text& shape) {
        write_value(key, yaml_text(*shape.value));
    }

    void write(std::string_view key, const SecretText& shape) {
        write_value(key, shape.value->empty() ? "\"\"" : mask);
    }

    void write(std::string_view key, const TextList& shape) {
        write_value(key, yaml_list(*shape.value));
    }

    void write(std::string_view key, const TextMap& shape) {
        if (shape.value->empty()) {
            write_value(key, "{}");
            return;
        }
        write_line(fmt::format("{}:", key));
        indent_ += 2;
        for (const auto& [name, value] : *shape.value) {
            const bool is_masked = names_a_secret(name) && !value.empty();
            write_value(yaml_key(name), is_masked ? std::string(mask) : yaml_text(value));
        }
        indent_ -= 2;
    }

    void write(std::string_view key, const PatternList& shape) {
        if (has_docs_) {
            RedactPattern pattern;
            for (const Setting& setting : describe(pattern).settings) {
                write_comment(
                    fmt::format("{}: {}{}", setting.key, setting.doc, limits_text(setting))
                );
            }
        }
        if (shape.value->empty()) {
            write_value(key, "[]");
            return;
        }
        write_line(fmt::format("{}:", key));
        for (const RedactPattern& pattern : *shape.value) {
            write_line(fmt::format(
                "  - {{name: {}, regex: {}, action: {}}}",
                yaml_text(pattern.name),
                yaml_text(pattern.regex),
                yaml_text(pattern.action)
            ));
        }
    }

    void write(std::string_view key, const Group& shape) {
        write_line(fmt::format("{}:", key));
        indent_ += 2;
        write_group(shape);
        indent_ -= 2;
    }

    // Keys are not substituted when read.
    static std::string yaml_key(std::string_view name) {
        if (is_plain(name)) return std::string(name);
        std::string quoted = "\"";
        for (const char c : name) {
            const auto byte = static_cast<unsigned char>(c);
            const bool is_escaped = byte < 0x20 || c == '"' || c == '\\' || byte == 0x7f;
            quoted += is_escaped ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
        }
        return quoted + '"';
    }

    const bool has_docs_;
    std::size_t indent_ = 0;
    std::string text_;
};

std::string written(const Config& config, bool has_docs) {
    Config described = config;
    YamlWriter writer(has_docs);
    writer.write_group(describe(described));
    return writer.take();
}

}  // namespace

std::string print_config(const Config& config) {
    return written(config, false);
}

std::string config_reference() {
    constexpr std::string_view head =
        "# Every key of the configuration with its default. Generated from the program's own\n"
        "# description of its settings (`test_config` compares): do not edit.\n"
        "#\n"
        "# ${env:NAME}, ${env:NAME:-default} and ${file:PATH} are put in where a value stands; $$ "
        "is\n"
        "# one $. Sizes: 64MiB, 1GiB, 500KB or plain bytes. Durations: 200ms, 5s, 2m, 1h or 0. A\n"
        "# list may be one text with commas. Unknown keys are faults.\n"
        "\n";
    std::string text = std::string(head) + written(Config{}, true);
    while (text.ends_with("\n\n")) {
        text.pop_back();
    }
    return text;
}

}  // namespace spangate
