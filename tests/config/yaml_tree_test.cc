#include "config/yaml_tree.h"

#include <random>
#include <string>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

std::string fault_of(std::string_view text, std::uint32_t nodes_max = 1'000) {
    const Result<YamlNode> tree = parse_yaml(text, "t.yaml", nodes_max);
    REQUIRE_FALSE(tree.has_value());
    return tree.error().message;
}

}  // namespace

TEST_CASE("a document becomes a tree in the document's order, with 1-based places") {
    const Result<YamlNode> tree = parse_yaml("b: 1\na:\n  - x\n  - \"y\"\nc:\n", "t.yaml");

    REQUIRE(tree.has_value());
    REQUIRE(tree->is_map());
    REQUIRE(tree->entries.size() == 3);
    CHECK(tree->entries[0].first.scalar == "b");
    CHECK(tree->entries[1].first.scalar == "a");
    const YamlNode* list = tree->find("a");
    REQUIRE(list != nullptr);
    REQUIRE(list->items.size() == 2);
    CHECK(list->items[1].place.line == 4);
    CHECK(list->items[1].place.column == 5);
    CHECK(list->items[1].is_quoted);
    CHECK_FALSE(list->items[0].is_quoted);
    CHECK(tree->find("c")->kind == YamlNode::Kind::null);
    CHECK(tree->find("d") == nullptr);
}

TEST_CASE("an empty document is null") {
    for (const char* text : {"", "# only a comment\n", "---\n", "~"}) {
        const Result<YamlNode> tree = parse_yaml(text, "t.yaml");
        REQUIRE(tree.has_value());
        CHECK(tree->kind == YamlNode::Kind::null);
    }
}

TEST_CASE("a key that stands twice is a fault at its second place") {
    CHECK(
        fault_of("a: 1\nb:\n  c: 1\n  c: 2\n") == "t.yaml:4:3: the key `c` stands twice in one map"
    );
}

TEST_CASE("keys are text, and one document is expected") {
    CHECK(fault_of("[a]: 1\n").find("a key must be plain text") != std::string::npos);
    CHECK(fault_of("{~: 1}\n").find("a key must be plain text") != std::string::npos);
    CHECK(fault_of("a: 1\n---\nb: 2\n").find("a second document") != std::string::npos);
}

TEST_CASE("aliases are copies that stand where they are used") {
    const Result<YamlNode> tree = parse_yaml("a: &x {k: v}\nb: *x\n", "t.yaml");

    REQUIRE(tree.has_value());
    REQUIRE(tree->find("b")->find("k") != nullptr);
    CHECK(tree->find("b")->find("k")->scalar == "v");
    CHECK(tree->find("b")->place.line == 2);
}

TEST_CASE("aliases cannot make a document grow without end") {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 12; ++i) {
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
        for (int copy = 0; copy < 10; ++copy) {
            bomb += std::string(copy == 0 ? "" : ", ") + "*a" + std::to_string(i - 1);
        }
        bomb += "]\n";
    }

    CHECK(fault_of(bomb, 100'000).find("grows beyond 100000 nodes") != std::string::npos);
    CHECK(fault_of("&a [*a]").find("inside what it names") != std::string::npos);
}

TEST_CASE("nesting is bounded, also through aliases") {
    CHECK(
        fault_of(std::string(100, '[') + std::string(100, ']')).find("nested deeper") !=
        std::string::npos
    );
    std::string chain = "a0: &a0 " + std::string(30, '[') + "x" + std::string(30, ']') + "\n";
    for (int i = 1; i < 5; ++i) {
        chain += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " " + std::string(30, '[') +
                 "*a" + std::to_string(i - 1) + std::string(30, ']') + "\n";
    }
    CHECK(fault_of(chain, 100'000).find("nested deeper") != std::string::npos);
    CHECK_FALSE(parse_yaml(std::string(100'000, '['), "t.yaml").has_value());
    CHECK_FALSE(parse_yaml(std::string(100'000, '{'), "t.yaml").has_value());
}

TEST_CASE("text repeated by aliases is bounded in bytes") {
    std::string text = "a: &a " + std::string(1 << 20, 'x') + "\nb: [";
    for (int i = 0; i < 80; ++i) {
        text += "*a, ";
    }
    CHECK(fault_of(text + "]\n").find("aliases repeat") != std::string::npos);
}

TEST_CASE("a fault of syntax tells its place and quotes nothing of the document") {
    const std::string unknown = fault_of("password: *hunter2\n");
    CHECK(unknown == "t.yaml:1:11: not YAML: the referenced anchor is not defined");
    CHECK(fault_of("a: \"\\q\"\n").find("not YAML: unknown escape character") != std::string::npos);
    CHECK(fault_of("a: [1, 2\n").find("t.yaml:") == 0);
}

TEST_CASE("no bytes make the parser fail in another way than with a fault") {
    std::mt19937 random(20'240'601);
    using std::string_view_literals::operator""sv;
    const std::string_view pieces = "abc:-[]{}\"'#&*!|>%@`, \n\n  \t?~\\x\0\xff\xc3"sv;
    for (int round = 0; round < 20'000; ++round) {
        std::string text;
        const std::size_t size = random() % 40;
        for (std::size_t i = 0; i < size; ++i) {
            text += random() % 8 == 0 ? static_cast<char>(random() % 256)
                                      : pieces[random() % pieces.size()];
        }
        const Result<YamlNode> tree = parse_yaml(text, "t.yaml", 500);
        if (!tree) CHECK(tree.error().message.rfind("t.yaml:", 0) == 0);
    }
}

}  // namespace spangate
