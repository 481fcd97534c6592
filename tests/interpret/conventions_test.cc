#include "interpret/conventions.h"

#include <string>

#include <catch2/catch.hpp>

#include "interpret/convention_table.h"

using namespace spangate;

namespace {

const std::string head = "schema: agent-semantics/2\n";
const std::string fallback =
    "conventions:\n"
    "  - {id: fallback, priority: 1000, detect: {any: [{name_regex: '.*'}]},\n"
    "     rules: [{when: {name_regex: '.*'}, emit: [{event: other, at: end}]}]}\n";

std::string faults_of(const std::string& yaml) {
    const auto loaded = load_conventions(yaml, "mine.yaml");
    return loaded ? std::string() : loaded.error().message;
}

}  // namespace

TEST_CASE("the built-in table has no faults and holds the conventions it promises") {
    const auto loaded = load_conventions(builtin_conventions(), "built-in");
    REQUIRE(loaded);
    CHECK((*loaded)->rules_hash().size() == 12);
    std::string ids;
    for (const Convention& convention : (*loaded)->table().conventions)
        ids += convention.id + " ";
    for (const char* id : {"gen_ai", "openinference", "openllmetry", "plain", "fallback"}) {
        CHECK(ids.find(id) != std::string::npos);
    }
    CHECK((*loaded)->table().conventions.back().id == "fallback");
}

TEST_CASE("the rules hash tells one table from another") {
    const auto one = load_conventions(head + fallback, "a");
    const auto same = load_conventions(head + fallback, "b");
    const auto other = load_conventions(head + fallback + "# changed\n", "a");
    REQUIRE((one && same && other));
    CHECK((*one)->rules_hash() == (*same)->rules_hash());
    CHECK((*one)->rules_hash() != (*other)->rules_hash());
}

TEST_CASE("all faults of a table are told at once, each with its place") {
    const std::string faults = faults_of(
        head +
        "common_fields:\n"
        "  no_such_field: [a]\n"
        "  event_id: [b]\n"
        "  args_digest: [c]\n"
        "  tool_name: [{key: d, map: nowhere}]\n" +
        fallback
    );
    CHECK(faults.find("mine.yaml:3:3: unknown field 'no_such_field'") != std::string::npos);
    CHECK(faults.find("mine.yaml:5:3: 'args_digest' is made by the gateway") != std::string::npos);
    CHECK(faults.find("mine.yaml:6:29: no map 'nowhere'") != std::string::npos);
}

TEST_CASE("a table is refused for what it cannot mean") {
    const auto with_rule = [](const std::string& rule) {
        return faults_of(
            head + fallback +
            "  - {id: x, priority: 1, detect: {any: [{attr: k, exists: true}]},\n     rules: [" +
            rule + "]}\n"
        );
    };
    CHECK(with_rule("{when: {attr: k, eq: v}, emit: [{event: inference, at: end}]}").empty());
    CHECK(
        with_rule("{when: {attr: k}, emit: [{event: inference, at: end}]}")
            .find("exactly one of") != std::string::npos
    );
    CHECK(
        with_rule("{when: {atr: k, eq: v}, emit: [{event: inference, at: end}]}")
            .find("unknown condition 'atr'") != std::string::npos
    );
    CHECK(
        with_rule("{when: {name_regex: '('}, emit: [{event: inference, at: end}]}")
            .find("no RE2 pattern") != std::string::npos
    );
    CHECK(
        with_rule("{when: {root: true}, emit: [{event: thought, at: end}]}")
            .find("no event type") != std::string::npos
    );
    CHECK(
        with_rule("{when: {root: true}, emit: [{event: session_alias, at: end}]}")
            .find("no event type") != std::string::npos
    );
    CHECK(
        with_rule("{when: {root: true}, emit: [{event: error, at: noon}]}").find("start or end") !=
        std::string::npos
    );
    CHECK(
        with_rule("{when: {root: true}, emit: [{event: error, at: end}, {event: retry, at: end}]}")
            .find("same end") != std::string::npos
    );
    CHECK(
        with_rule("{when: {root: true}, emit: [{event: error, at: end, kind: x}]}")
            .find("unknown key 'kind'") != std::string::npos
    );
    CHECK(faults_of(fallback).find("schema") != std::string::npos);
    CHECK(faults_of(head).find("no conventions") != std::string::npos);
    CHECK(faults_of("a: [").find("mine.yaml:") != std::string::npos);
    CHECK_FALSE(faults_of("").empty());
}

TEST_CASE("key patterns match indices, segments and rests") {
    std::uint32_t number = 0;
    CHECK(KeyPattern{"a.{N}.b"}.matches("a.12.b", number));
    CHECK(number == 12);
    CHECK_FALSE(KeyPattern{"a.{N}.b"}.matches("a.x.b", number));
    CHECK_FALSE(KeyPattern{"a.{N}.b"}.matches("a.12.b.c", number));
    CHECK(KeyPattern{"{*}.b"}.matches("one.b", number));
    CHECK_FALSE(KeyPattern{"{*}.b"}.matches("one.two.b", number));
    CHECK(KeyPattern{"a.**"}.matches("a.b.c", number));
    CHECK_FALSE(KeyPattern{"a.**"}.matches("b.a.c", number));
}
