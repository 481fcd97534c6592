// The description as a JSON Schema (draft 2020-12), for editors that complete and check YAML. A
// value may always be a substitution, and a key may always be left empty, so the types are wider
// than the settings'; the loader has the last word.
#include <fmt/format.h>

#include "config/load_config.h"
#include "config/setting.h"
#include "config/units.h"

namespace spangate {
namespace {

constexpr std::string_view substitution_pattern = R"(\\$\\{)";

std::string json_text(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + '"';
}

std::string json_list(const std::vector<std::string>& values) {
    std::string line = "[";
    for (const std::string& value : values) {
        line += fmt::format("{}{}", line.size() > 1 ? ", " : "", json_text(value));
    }
    return line + "]";
}

// An object with one member a line.
class SchemaWriter {
  public:
    void begin(std::string_view name) {
        start_member(name);
        text_ += '{';
        indent_ += 2;
        is_first_ = true;
    }

    void end() {
        indent_ -= 2;
        text_ += '\n';
        text_.append(indent_, ' ');
        text_ += '}';
        is_first_ = false;
    }

    // `value` is JSON.
    void member(std::string_view name, std::string_view value) {
        start_member(name);
        text_ += value;
    }

    [[nodiscard]] std::string take() { return std::move(text_) + '\n'; }

  private:
    void start_member(std::string_view name) {
        if (name.empty()) return;
        if (!is_first_) text_ += ',';
        text_ += '\n';
        text_.append(indent_, ' ');
        text_ += fmt::format("{}: ", json_text(name));
        is_first_ = false;
    }

    std::string text_;
    std::size_t indent_ = 0;
    bool is_first_ = true;
};

std::string words_or_substitution(const std::vector<std::string_view>& allowed) {
    std::vector<std::string> words(allowed.begin(), allowed.end());
    return fmt::format(
        R"([{{"enum": {}}}, {{"type": "null"}}, {{"type": "string", "pattern": "{}"}}])",
        json_list(words),
        substitution_pattern
    );
}

void write_properties(SchemaWriter& writer, const Group& group);

void write(SchemaWriter& writer, const Flag& shape) {
    writer.member("type", R"(["boolean", "string", "null"])");
    writer.member("pattern", fmt::format("\"{}\"", substitution_pattern));
    writer.member("default", *shape.value ? "true" : "false");
}

void write(SchemaWriter& writer, const Count& shape) {
    writer.member("type", R"(["integer", "string", "null"])");
    writer.member("minimum", std::to_string(shape.least));
    writer.member("maximum", std::to_string(shape.most));
    writer.member("pattern", fmt::format("\"{}\"", substitution_pattern));
    writer.member("default", std::to_string(*shape.value));
}

void write(SchemaWriter& writer, const Real& shape) {
    writer.member("type", R"(["number", "string", "null"])");
    writer.member("minimum", fmt::format("{}", shape.least));
    writer.member("maximum", fmt::format("{}", shape.most));
    writer.member("pattern", fmt::format("\"{}\"", substitution_pattern));
    writer.member("default", fmt::format("{}", *shape.value));
}

void write(SchemaWriter& writer, const Size& shape) {
    writer.member("type", R"(["integer", "string", "null"])");
    writer.member("minimum", std::to_string(shape.least));
    writer.member("maximum", std::to_string(shape.most));
    writer.member("pattern", fmt::format("\"^[0-9]+([KMGT]i?B|B)?$|{}\"", substitution_pattern));
    writer.member("default", json_text(size_text(*shape.value)));
}

void write(SchemaWriter& writer, const Duration& shape) {
    writer.member("type", R"(["string", "integer", "null"])");
    writer.member("pattern", fmt::format("\"^(0|[0-9]+(ms|s|m|h))$|{}\"", substitution_pattern));
    writer.member("maximum", "0");
    writer.member("default", json_text(duration_text(*shape.value)));
}

void write(SchemaWriter& writer, const Text& shape) {
    if (shape.allowed.empty()) {
        writer.member("type", R"(["string", "number", "boolean", "null"])");
    } else {
        writer.member("anyOf", words_or_substitution(shape.allowed));
    }
    writer.member("default", json_text(*shape.value));
}

void write(SchemaWriter& writer, const SecretText& /*shape*/) {
    writer.member("type", R"(["string", "number", "null"])");
}

void write(SchemaWriter& writer, const TextList& shape) {
    writer.member("type", R"(["array", "string", "null"])");
    writer.begin("items");
    if (shape.allowed.empty()) {
        writer.member("type", R"(["string", "number", "boolean"])");
    } else {
        writer.member("anyOf", words_or_substitution(shape.allowed));
    }
    writer.end();
    writer.member("default", json_list(*shape.value));
}

void write(SchemaWriter& writer, const TextMap& /*shape*/) {
    writer.member("type", R"(["object", "null"])");
    writer.member("additionalProperties", R"({"type": ["string", "number", "boolean"]})");
}

void write(SchemaWriter& writer, const PatternList& /*shape*/) {
    RedactPattern pattern;
    writer.member("type", R"(["array", "null"])");
    writer.begin("items");
    writer.member("type", R"("object")");
    writer.member("required", R"(["name", "regex"])");
    write_properties(writer, describe(pattern));
    writer.end();
}

void write(SchemaWriter& writer, const Group& shape) {
    writer.member("type", R"(["object", "null"])");
    write_properties(writer, shape);
}

void write_properties(SchemaWriter& writer, const Group& group) {
    writer.begin("properties");
    for (const Setting& setting : group.settings) {
        writer.begin(setting.key);
        writer.member("description", json_text(setting.doc));
        std::visit([&](const auto& shape) { write(writer, shape); }, setting.shape);
        writer.end();
    }
    writer.end();
    writer.member("additionalProperties", "false");
}

}  // namespace

std::string config_json_schema() {
    Config defaults;
    SchemaWriter writer;
    writer.begin("");
    writer.member("$schema", json_text("https://json-schema.org/draft/2020-12/schema"));
    writer.member("title", json_text("Configuration of spangate"));
    writer.member("type", R"(["object", "null"])");
    write_properties(writer, describe(defaults));
    writer.end();
    return writer.take();
}

}  // namespace spangate
