// The only file that includes the YAML library. It listens to the library's events rather than to
// its node tree, because only the events tell places, quoting and anchors before anything is
// expanded: the bounds below hold while the tree grows, not after it has grown.
#include "config/yaml_tree.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <unordered_set>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

namespace spangate {
namespace {

constexpr std::size_t depth_max = 64;                            // containers in containers
constexpr std::size_t copied_bytes_max = std::size_t{64} << 20;  // text repeated by aliases

YamlPlace place_of(const YAML::Mark& mark) {
    if (mark.is_null()) return {1, 1};
    return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
}

// Leaves the builder through the library's parser; caught in parse_yaml.
struct DocumentFault final : std::exception {
    DocumentFault(YamlPlace where, std::string what_is_wrong)
        : place(where),
          message(std::move(what_is_wrong)) {}

    [[nodiscard]] const char* what() const noexcept override { return message.c_str(); }

    YamlPlace place;
    std::string message;
};

struct TreeSize {
    std::uint64_t nodes = 1;
    std::size_t text_bytes = 0;
    std::size_t depth = 0;  // containers in containers
};

// Recursion is bounded by depth_max.
void add_size(const YamlNode& node, TreeSize& size, std::size_t depth = 0) {
    if (!node.items.empty() || !node.entries.empty()) ++depth;
    size.depth = std::max(size.depth, depth);
    size.text_bytes += node.scalar.size();
    size.nodes += node.items.size() + 2 * node.entries.size();
    for (const YamlNode& item : node.items) {
        add_size(item, size, depth);
    }
    for (const auto& [key, value] : node.entries) {
        add_size(key, size, depth);
        add_size(value, size, depth);
    }
}

class TreeBuilder final : public YAML::EventHandler {
  public:
    explicit TreeBuilder(std::uint32_t nodes_max) : nodes_max_(nodes_max) {}

    [[nodiscard]] YamlNode take() { return std::move(root_); }

    void OnDocumentStart(const YAML::Mark& mark) override {
        if (has_document_) {
            throw DocumentFault(place_of(mark), "a second document starts; one is expected");
        }
        has_document_ = true;
    }

    void OnDocumentEnd() override {}

    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        add_leaf(make_node(YamlNode::Kind::null, mark), anchor);
    }

    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
        const auto known = anchors_.find(anchor);
        if (known == anchors_.end()) {
            throw DocumentFault(place_of(mark), "an alias stands inside what it names");
        }
        YamlNode copy = copy_of(known->second, mark);
        copy.place = place_of(mark);
        add(std::move(copy));
    }

    void OnScalar(
        const YAML::Mark& mark,
        const std::string& tag,
        YAML::anchor_t anchor,
        const std::string& value
    ) override {
        YamlNode node = make_node(YamlNode::Kind::scalar, mark);
        node.is_quoted = tag == "!";  // the library's mark of a scalar that is not plain
        node.scalar = value;
        add_leaf(std::move(node), anchor);
    }

    void OnSequenceStart(
        const YAML::Mark& mark,
        const std::string& /*tag*/,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(YamlNode::Kind::sequence, mark, anchor);
    }

    void OnSequenceEnd() override { close(); }

    void OnMapStart(
        const YAML::Mark& mark,
        const std::string& /*tag*/,
        YAML::anchor_t anchor,
        YAML::EmitterStyle::value /*style*/
    ) override {
        open(YamlNode::Kind::map, mark, anchor);
    }

    void OnMapEnd() override { close(); }

  private:
    struct OpenContainer {
        YamlNode node;
        YAML::anchor_t anchor;
        std::optional<YamlNode> key;  // of a map: read, its value still to come
        std::unordered_set<std::string> keys;
    };

    void count(std::uint64_t nodes, const YAML::Mark& mark) {
        nodes_ += nodes;
        if (nodes_ > nodes_max_) {
            throw DocumentFault(
                place_of(mark),
                fmt::format("the document grows beyond {} nodes, aliases counted", nodes_max_)
            );
        }
    }

    [[noreturn]] static void refuse_depth(const YAML::Mark& mark) {
        throw DocumentFault(place_of(mark), fmt::format("nested deeper than {} levels", depth_max));
    }

    [[nodiscard]] YamlNode make_node(YamlNode::Kind kind, const YAML::Mark& mark) {
        count(1, mark);
        YamlNode node;
        node.kind = kind;
        node.place = place_of(mark);
        return node;
    }

    [[nodiscard]] YamlNode copy_of(const YamlNode& node, const YAML::Mark& mark) {
        TreeSize size;
        add_size(node, size);
        count(size.nodes, mark);
        copied_bytes_ += size.text_bytes;
        if (open_.size() + size.depth > depth_max) refuse_depth(mark);
        if (copied_bytes_ > copied_bytes_max) {
            throw DocumentFault(place_of(mark), "aliases repeat more than 64MiB of text");
        }
        return node;
    }

    void add_leaf(YamlNode node, YAML::anchor_t anchor) {
        if (anchor != YAML::NullAnchor) anchors_[anchor] = node;
        add(std::move(node));
    }

    void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
        if (open_.size() >= depth_max) refuse_depth(mark);
        open_.push_back({make_node(kind, mark), anchor, std::nullopt, {}});
    }

    void close() {
        OpenContainer closed = std::move(open_.back());
        open_.pop_back();
        if (closed.anchor != YAML::NullAnchor) {
            YAML::Mark mark;
            mark.line = static_cast<int>(closed.node.place.line) - 1;
            mark.column = static_cast<int>(closed.node.place.column) - 1;
            anchors_[closed.anchor] = copy_of(closed.node, mark);
        }
        add(std::move(closed.node));
    }

    void add(YamlNode node) {
        if (open_.empty()) {
            root_ = std::move(node);
            return;
        }
        OpenContainer& container = open_.back();
        if (container.node.is_sequence()) {
            container.node.items.push_back(std::move(node));
        } else if (container.key) {
            container.node.entries.emplace_back(std::move(*container.key), std::move(node));
            container.key.reset();
        } else {
            add_key(container, std::move(node));
        }
    }

    static void add_key(OpenContainer& container, YamlNode key) {
        if (!key.is_scalar()) throw DocumentFault(key.place, "a key must be plain text");
        if (!container.keys.insert(key.scalar).second) {
            throw DocumentFault(
                key.place, fmt::format("the key `{}` stands twice in one map", key.scalar)
            );
        }
        container.key = std::move(key);
    }

    const std::uint32_t nodes_max_;
    std::uint64_t nodes_ = 0;
    std::size_t copied_bytes_ = 0;
    bool has_document_ = false;
    YamlNode root_;
    std::vector<OpenContainer> open_;
    std::unordered_map<YAML::anchor_t, YamlNode> anchors_;
};

tl::unexpected<Error> fault_at(std::string_view name, YamlPlace place, std::string_view message) {
    return fail(
        ErrorCode::invalid_argument,
        fmt::format("{}:{}:{}: {}", name, place.line, place.column, message)
    );
}

// The library quotes the document after a colon (names of anchors, escapes); a fault may stand next
// to a secret, so that part is left out.
std::string_view without_quotation(std::string_view message) {
    return message.substr(0, message.find(": "));
}

}  // namespace

YamlNode::YamlNode() = default;
YamlNode::YamlNode(const YamlNode& other) = default;
YamlNode::YamlNode(YamlNode&& other) noexcept = default;
YamlNode& YamlNode::operator=(const YamlNode& other) = default;
YamlNode& YamlNode::operator=(YamlNode&& other) noexcept = default;
YamlNode::~YamlNode() = default;

Result<YamlNode> parse_yaml(std::string_view text, std::string_view name, std::uint32_t nodes_max) {
    TreeBuilder builder(nodes_max);
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (parser.HandleNextDocument(builder)) {
        }
        return builder.take();
    } catch (const DocumentFault& fault) {
        return fault_at(name, fault.place, fault.message);
    } catch (const YAML::Exception& fault) {
        return fault_at(
            name, place_of(fault.mark), fmt::format("not YAML: {}", without_quotation(fault.msg))
        );
    } catch (const std::exception&) {
        return fault_at(name, {1, 1}, "not YAML: the parser gave up");
    }
}

}  // namespace spangate
