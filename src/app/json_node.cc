#include "app/json_node.h"

#include <string>
#include <utility>
#include <vector>

#include "redact/json_tokens.h"

namespace spangate {
namespace {

constexpr std::size_t depth_max = 64;

// Builds the tree from the tokens of one document.
class JsonTree {
  public:
    JsonTree(std::string_view text, std::uint32_t line) : text_(text), line_(line) {
        tokens_.start(text);
    }

    // False when the text is no JSON document.
    [[nodiscard]] bool read(YamlNode& root) {
        return read_value(tokens_.next(), root, 0) && tokens_.next().kind == JsonTokenKind::end;
    }

    [[nodiscard]] std::size_t column() const { return at_ + 1; }

  private:
    [[nodiscard]] bool read_value(const JsonToken& token, YamlNode& node, std::size_t depth) {
        at_ = token.begin;
        node.place = {line_, static_cast<std::uint32_t>(token.begin + 1)};
        if (depth > depth_max) return false;
        switch (token.kind) {
            case JsonTokenKind::string:
                node.is_quoted = true;
                [[fallthrough]];
            case JsonTokenKind::number:
            case JsonTokenKind::literal:
                read_scalar(token, node);
                return true;
            case JsonTokenKind::array_begin:
                return read_array(node, depth);
            case JsonTokenKind::object_begin:
                return read_object(node, depth);
            default:
                return false;
        }
    }

    void read_scalar(const JsonToken& token, YamlNode& node) const {
        const std::string_view text = text_.substr(token.begin, token.end - token.begin);
        if (token.kind == JsonTokenKind::literal && text == "null") return;
        node.kind = YamlNode::Kind::scalar;
        if (token.has_escape) {
            append_json_unescaped(text, node.scalar);
        } else {
            node.scalar = text;
        }
    }

    [[nodiscard]] bool read_array(YamlNode& node, std::size_t depth) {
        node.kind = YamlNode::Kind::sequence;
        while (true) {
            const JsonToken token = tokens_.next();
            if (token.kind == JsonTokenKind::array_end) return true;
            if (!read_value(token, node.items.emplace_back(), depth + 1)) return false;
        }
    }

    [[nodiscard]] bool read_object(YamlNode& node, std::size_t depth) {
        node.kind = YamlNode::Kind::map;
        while (true) {
            const JsonToken token = tokens_.next();
            if (token.kind == JsonTokenKind::object_end) return true;
            if (token.kind != JsonTokenKind::key) return false;
            auto& [key, value] = node.entries.emplace_back();
            key.place = {line_, static_cast<std::uint32_t>(token.begin + 1)};
            read_scalar(token, key);
            if (!read_value(tokens_.next(), value, depth + 1)) return false;
        }
    }

    std::string_view text_;
    std::uint32_t line_;
    JsonTokens tokens_;
    std::size_t at_ = 0;
};

}  // namespace

Result<YamlNode> parse_json_line(std::string_view text, std::string_view name, std::uint32_t line) {
    YamlNode root;
    JsonTree tree(text, line);
    if (tree.read(root)) return root;
    return fail(
        ErrorCode::invalid_argument,
        std::string(name) + ":" + std::to_string(line) + ":" + std::to_string(tree.column()) +
            ": no JSON"
    );
}

}  // namespace spangate
