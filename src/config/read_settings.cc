#include "config/read_settings.h"

#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"
#include "config/substitution.h"
#include "config/units.h"

namespace spangate {
namespace {

constexpr std::size_t quoted_bytes_max = 60;

std::string_view kind_name(const YamlNode& node) {
    switch (node.kind) {
        case YamlNode::Kind::null:
            return "nothing";
        case YamlNode::Kind::scalar:
            return "one value";
        case YamlNode::Kind::sequence:
            return "a list";
        case YamlNode::Kind::map:
            return "a map";
    }
    return "something else";
}

// As it stands in the document, short and on one line.
std::string quoted(std::string_view text) {
    std::string shown;
    for (const char c : utf8_prefix(text, quoted_bytes_max)) {
        const bool is_control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
        shown += is_control ? ' ' : c;
    }
    return fmt::format("`{}{}`", shown, text.size() > quoted_bytes_max ? "…" : "");
}

std::string one_of(const std::vector<std::string_view>& words) {
    std::vector<std::string_view> shown = words;
    for (std::string_view& word : shown) {
        if (word.empty()) word = "\"\"";
    }
    return fmt::format("{}", fmt::join(shown, ", "));
}

std::vector<std::string_view> keys_of(const Group& group) {
    std::vector<std::string_view> keys;
    for (const Setting& setting : group.settings) {
        keys.push_back(setting.key);
    }
    return keys;
}

std::string joined_path(std::string_view path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

// The path of a key that stands elsewhere in the description: people indent wrongly.
std::optional<std::string> path_of_key(
    const Group& group, std::string_view key, const std::string& path
) {
    for (const Setting& setting : group.settings) {
        std::string here = joined_path(path, setting.key);
        if (setting.key == key) return here;
        if (const auto* inner = std::get_if<Group>(&setting.shape)) {
            if (auto found = path_of_key(*inner, key, here)) return found;
        }
    }
    return std::nullopt;
}

std::vector<std::string> split_at_commas(std::string_view text) {
    std::vector<std::string> parts;
    std::size_t start = 0;
    while (start <= text.size()) {
        const std::size_t end = std::min(text.find(',', start), text.size());
        std::string_view part = text.substr(start, end - start);
        const std::size_t first = part.find_first_not_of(" \t");
        if (first != std::string_view::npos) {
            part = part.substr(first, part.find_last_not_of(" \t") - first + 1);
            parts.emplace_back(part);
        }
        start = end + 1;
    }
    return parts;
}

class SettingsReader {
  public:
    explicit SettingsReader(const Group& root) : root_(root) {}

    void read_group(const YamlNode& node, const Group& group, const std::string& path) {
        if (node.kind == YamlNode::Kind::null) return;
        if (!node.is_map()) {
            const std::string known = one_of(keys_of(group));
            add_fault(node, path, fmt::format("a map is expected, with keys of: {}", known));
            return;
        }
        for (const auto& [key, value] : node.entries) {
            const Setting* setting = find_setting(group, key.scalar);
            if (setting == nullptr) {
                add_unknown_key(key, group, path);
                continue;
            }
            std::string here = joined_path(path, setting->key);
            read_.places[here] = value.kind == YamlNode::Kind::null ? key.place : value.place;
            read_setting(value, *setting, here);
        }
    }

    [[nodiscard]] SettingsRead take() { return std::move(read_); }

  private:
    static const Setting* find_setting(const Group& group, std::string_view key) {
        for (const Setting& setting : group.settings) {
            if (setting.key == key) return &setting;
        }
        return nullptr;
    }

    void read_setting(const YamlNode& node, const Setting& setting, const std::string& path) {
        if (node.kind == YamlNode::Kind::null) return;  // `key:` leaves the default
        const auto read_into = [&](const auto& shape) {
            read(node, shape, path);
        };
        std::visit(read_into, setting.shape);
    }

    void add_fault(const YamlNode& node, const std::string& path, std::string_view what) {
        if (read_.faults.size() > faults_max) return;
        if (read_.faults.size() == faults_max) {
            read_.faults.push_back({node.place, "", "there are more faults; they are not shown"});
            return;
        }
        read_.faults.push_back({node.place, path, std::string(what)});
    }

    void add_unknown_key(const YamlNode& key, const Group& group, const std::string& path) {
        const std::string near = nearest_word(key.scalar, keys_of(group));
        std::string advice;
        if (!near.empty()) {
            advice = fmt::format("did you mean `{}`?", near);
        } else if (const auto elsewhere = path_of_key(root_, key.scalar, "")) {
            advice = fmt::format("did you mean {}?", *elsewhere);
        } else {
            advice = fmt::format("known here: {}", one_of(keys_of(group)));
        }
        add_fault(key, path, fmt::format("the key {} is unknown; {}", quoted(key.scalar), advice));
    }

    // What the scalar says after substitution, or nothing with a fault added.
    std::optional<std::string> scalar_text(const YamlNode& node, const std::string& path) {
        if (!node.is_scalar()) {
            add_fault(node, path, fmt::format("one value is expected, not {}", kind_name(node)));
            return std::nullopt;
        }
        Result<SubstitutedText> substituted = substitute(node.scalar);
        if (!substituted) {
            add_fault(node, path, substituted.error().message);
            return std::nullopt;
        }
        if (substituted->text.find('\0') != std::string::npos) {
            add_fault(node, path, "the value holds a NUL byte");
            return std::nullopt;
        }
        return std::move(substituted->text);
    }

    // As scalar_text, for values that are printed.
    std::optional<std::string> shown_text(const YamlNode& node, const std::string& path) {
        std::optional<std::string> text = scalar_text(node, path);
        if (text && !is_utf8(*text)) {
            add_fault(node, path, "the value is not UTF-8");
            return std::nullopt;
        }
        return text;
    }

    void add_wrong_value(const YamlNode& node, const std::string& path, std::string_view expected) {
        add_fault(node, path, fmt::format("{} is not {}", quoted(node.scalar), expected));
    }

    bool check_allowed(
        const YamlNode& node,
        const std::string& value,
        const std::vector<std::string_view>& allowed,
        const std::string& path
    ) {
        if (allowed.empty()) return true;
        for (const std::string_view word : allowed) {
            if (word == value) return true;
        }
        const std::string near = nearest_word(value, allowed);
        const std::string advice = near.empty() ? "" : fmt::format("; did you mean `{}`?", near);
        add_wrong_value(node, path, fmt::format("one of: {}{}", one_of(allowed), advice));
        return false;
    }

    void read(const YamlNode& node, const Flag& shape, const std::string& path) {
        const std::optional<std::string> text = scalar_text(node, path);
        if (!text) return;
        if (*text != "true" && *text != "false") {
            add_wrong_value(node, path, "true or false");
            return;
        }
        *shape.value = *text == "true";
    }

    void read(const YamlNode& node, const Count& shape, const std::string& path) {
        const std::optional<std::string> text = scalar_text(node, path);
        if (!text) return;
        std::uint32_t value = 0;
        const char* const end = text->data() + text->size();
        const auto [stop, error] = std::from_chars(text->data(), end, value);
        const bool is_number = error == std::errc{} && stop == end;
        if (!is_number || value < shape.least || value > shape.most) {
            add_wrong_value(
                node, path, fmt::format("a whole number from {} to {}", shape.least, shape.most)
            );
            return;
        }
        *shape.value = value;
    }

    void read(const YamlNode& node, const Real& shape, const std::string& path) {
        const std::optional<std::string> text = scalar_text(node, path);
        if (!text) return;
        double value = 0;
        const char* const end = text->data() + text->size();
        const auto [stop, error] = std::from_chars(text->data(), end, value);
        const bool is_number = error == std::errc{} && stop == end && std::isfinite(value);
        if (!is_number || value < shape.least || value > shape.most) {
            add_wrong_value(
                node, path, fmt::format("a number from {} to {}", shape.least, shape.most)
            );
            return;
        }
        *shape.value = value;
    }

    void read(const YamlNode& node, const Size& shape, const std::string& path) {
        const std::optional<std::string> text = scalar_text(node, path);
        if (!text) return;
        const std::optional<Bytes> value = read_size(*text);
        if (!value) {
            add_wrong_value(node, path, "a size; write 64MiB, 1GiB, 500KB or plain bytes");
            return;
        }
        if (*value < shape.least || *value > shape.most) {
            const std::string range =
                fmt::format("from {} to {}", size_text(shape.least), size_text(shape.most));
            add_wrong_value(node, path, fmt::format("a size {}", range));
            return;
        }
        *shape.value = *value;
    }

    void read(const YamlNode& node, const Duration& shape, const std::string& path) {
        const std::optional<std::string> text = scalar_text(node, path);
        if (!text) return;
        const std::optional<Millis> value = read_duration(*text);
        if (!value) {
            add_wrong_value(node, path, "a duration; write 200ms, 5s, 2m, 1h or 0");
            return;
        }
        if (*value < shape.least || *value > shape.most) {
            const std::string range =
                fmt::format("from {} to {}", duration_text(shape.least), duration_text(shape.most));
            add_wrong_value(node, path, fmt::format("a duration {}", range));
            return;
        }
        *shape.value = *value;
    }

    void read(const YamlNode& node, const Text& shape, const std::string& path) {
        std::optional<std::string> text = shown_text(node, path);
        if (text && check_allowed(node, *text, shape.allowed, path)) {
            *shape.value = std::move(*text);
        }
    }

    void read(const YamlNode& node, const SecretText& shape, const std::string& path) {
        std::optional<std::string> text = scalar_text(node, path);
        if (text) *shape.value = Secret(std::move(*text));
    }

    void read(const YamlNode& node, const TextList& shape, const std::string& path) {
        if (node.is_map()) {
            add_fault(node, path, "a list is expected, not a map");
            return;
        }
        std::vector<std::string> values;
        if (node.is_scalar()) {
            const std::optional<std::string> text = shown_text(node, path);
            if (!text) return;
            for (std::string& part : split_at_commas(*text)) {
                if (check_allowed(node, part, shape.allowed, path)) {
                    values.push_back(std::move(part));
                }
            }
        }
        for (const YamlNode& item : node.items) {
            std::optional<std::string> text = shown_text(item, path);
            if (text && check_allowed(item, *text, shape.allowed, path)) {
                values.push_back(std::move(*text));
            }
        }
        *shape.value = std::move(values);
    }

    void read(const YamlNode& node, const TextMap& shape, const std::string& path) {
        if (!node.is_map()) {
            add_fault(node, path, "a map of key: text is expected");
            return;
        }
        std::map<std::string, std::string> values;
        for (const auto& [key, value] : node.entries) {
            const std::string here = joined_path(path, key.scalar);
            read_.places[here] = key.place;
            if (std::optional<std::string> text = shown_text(value, here)) {
                values[key.scalar] = std::move(*text);
            }
        }
        *shape.value = std::move(values);
    }

    void read(const YamlNode& node, const PatternList& shape, const std::string& path) {
        if (!node.is_sequence()) {
            add_fault(node, path, "a list of {name, regex, action} is expected");
            return;
        }
        std::vector<RedactPattern> patterns;
        for (const YamlNode& item : node.items) {
            const std::string here = fmt::format("{}[{}]", path, patterns.size());
            read_.places[here] = item.place;
            RedactPattern& pattern = patterns.emplace_back();
            read_group(item, describe(pattern), here);
        }
        *shape.value = std::move(patterns);
    }

    void read(const YamlNode& node, const Group& shape, const std::string& path) {
        read_group(node, shape, path);
    }

    const Group& root_;
    SettingsRead read_;
};

}  // namespace

SettingsRead read_settings(const YamlNode& document, const Group& settings) {
    SettingsReader reader(settings);
    reader.read_group(document, settings, "");
    return reader.take();
}

}  // namespace spangate
