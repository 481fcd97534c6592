#include "replay/step_content.h"

#include <fstream>
#include <sstream>

#include <catch2/catch.hpp>

#include "config/yaml_tree.h"

namespace spangate {
namespace {

FoundContent in_detail(const std::string& json, StepKind kind) {
    StepContentFinder finder;
    return finder.in_detail(json, kind);
}

// The keys of one role of the conventions, but for those of span events.
std::vector<std::string> keys_of_role(const YamlNode& roles, const std::string& role) {
    std::vector<std::string> keys;
    for (const YamlNode& key : roles.find(role)->find("keys")->items) {
        if (key.is_scalar()) keys.push_back(key.scalar);
    }
    return keys;
}

}  // namespace

TEST_CASE("A tool's arguments and result are its input and output") {
    const FoundContent found = in_detail(
        R"({"attributes":{"gen_ai.tool.call.arguments":"{\"a\":1}",)"
        R"("gen_ai.tool.call.result":{"b":[2]}}})",
        StepKind::tool
    );
    CHECK(found.input == R"({"a":1})");
    CHECK(found.output == R"({"b":[2]})");
    CHECK(found.error.empty());
}

TEST_CASE("A family of keys is one object") {
    const FoundContent found = in_detail(
        R"({"attributes":{"llm.input_messages.0.role":"user","llm.input_messages.0.content":"hi",)"
        R"("gen_ai.completion.0.content":"ho"}})",
        StepKind::inference
    );
    CHECK(
        found.input == R"({"llm.input_messages.0.role":"user","llm.input_messages.0.content":"hi"})"
    );
    CHECK(found.output == R"({"gen_ai.completion.0.content":"ho"})");
}

TEST_CASE("Message events tell what the attributes do not") {
    const FoundContent one = in_detail(
        R"({"attributes":{},"events":[{"name":"gen_ai.user.message","attributes":{"content":"q"}},)"
        R"({"name":"gen_ai.choice","attributes":{"message":"a"}}]})",
        StepKind::inference
    );
    CHECK(one.input == "q");
    CHECK(one.output == "a");
    const FoundContent two = in_detail(
        R"({"events":[{"name":"gen_ai.system.message","attributes":{"content":"s"}},)"
        R"({"name":"gen_ai.user.message","attributes":{"content":"q"}}]})",
        StepKind::inference
    );
    CHECK(
        two.input == R"([{"event":"gen_ai.system.message","attributes":{"content":"s"}},)"
                     R"({"event":"gen_ai.user.message","attributes":{"content":"q"}}])"
    );
}

TEST_CASE("A failure is told by its exception, else by the span's status") {
    CHECK(
        in_detail(
            R"({"events":[{"name":"exception","attributes":{"exception.message":"boom"}}],)"
            R"("status_message":"later"})",
            StepKind::tool
        )
            .error == "boom"
    );
    CHECK(in_detail(R"({"status_message":"bad"})", StepKind::tool).error == "bad");
}

TEST_CASE("A log record's body is what its event says it is") {
    CHECK(
        in_detail(
            R"({"event_name":"gen_ai.user.message","body":{"content":"q"}})", StepKind::inference
        )
            .input == R"({"content":"q"})"
    );
    CHECK(
        in_detail(R"({"event_name":"gen_ai.choice","body":"a"})", StepKind::inference).output == "a"
    );
}

TEST_CASE("Evidence is told by the roles of its parts") {
    StepContentFinder finder;
    const FoundContent found = finder.in_parts(
        R"([{"key":"k","role":"prompt","media_type":"text/plain","content":"raw"},)"
        R"({"key":"l","role":"completion","media_type":"text/plain","content":"one"},)"
        R"({"key":"m","role":"completion","media_type":"text/plain","content":"two"},)"
        R"({"key":"e","role":"error","media_type":"text/plain","content":"boom"}])"
    );
    CHECK(found.input == "raw");
    CHECK(found.output.starts_with("[{"));
    CHECK(found.error == "boom");
}

TEST_CASE("What is no JSON has no content") {
    CHECK(in_detail("{", StepKind::tool).is_empty());
    CHECK(in_detail("[]", StepKind::tool).is_empty());
    CHECK(in_detail(R"({"attributes":7,"events":{},"body":null})", StepKind::tool).is_empty());
}

TEST_CASE("Every key that the conventions give a role is found") {
    std::ifstream file(SPANGATE_SOURCE_DIR "/config/conventions.yaml");
    std::ostringstream text;
    text << file.rdbuf();
    const Result<YamlNode> tree = parse_yaml(text.str(), "conventions.yaml");
    REQUIRE(tree.has_value());
    const YamlNode* roles = tree->find("content_roles");
    REQUIRE(roles != nullptr);
    const auto check = [&](const std::string& role, StepKind kind, std::string FoundContent::*side
                       ) {
        for (std::string key : keys_of_role(*roles, role)) {
            INFO(role << " " << key);
            if (key.ends_with(".**")) key.replace(key.size() - 2, 2, "0.x");
            const FoundContent found =
                in_detail("{\"attributes\":{\"" + key + "\":\"here\"}}", kind);
            CHECK((found.*side).find("here") != std::string::npos);
        }
    };
    check("tool_args", StepKind::tool, &FoundContent::input);
    check("tool_result", StepKind::tool, &FoundContent::output);
    check("prompt", StepKind::inference, &FoundContent::input);
    check("completion", StepKind::inference, &FoundContent::output);
    check("system", StepKind::inference, &FoundContent::input);
    check("documents", StepKind::retrieval, &FoundContent::output);
    check("error", StepKind::tool, &FoundContent::error);
}

}  // namespace spangate
