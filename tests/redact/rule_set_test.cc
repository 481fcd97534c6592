#include "redact/rule_set.h"

#include <catch2/catch.hpp>

namespace spangate {
namespace {

RedactConfig with_pattern(std::string name, std::string regex, std::string action = "mask") {
    RedactConfig config;
    config.patterns.push_back({std::move(name), std::move(regex), std::move(action)});
    return config;
}

TEST_CASE("a faulty rule is refused by its name") {
    for (const RedactConfig& config :
         {with_pattern("ticket", "TKT-[0-9"),
          with_pattern("ticket", "[0-9]*"),
          with_pattern("ticket", "TKT", "burn")}) {
        const auto rules = RuleSet::compile(config);
        REQUIRE_FALSE(rules);
        CHECK(rules.error().code == ErrorCode::invalid_argument);
        CHECK(rules.error().message.find("ticket") != std::string::npos);
    }
    CHECK_FALSE(RuleSet::compile(with_pattern("", "TKT")));
    CHECK_FALSE(RuleSet::compile(with_pattern("a b", "TKT")));
    CHECK_FALSE(RuleSet::compile(with_pattern("email", "TKT")));
    RedactConfig twice = with_pattern("ticket", "TKT");
    twice.patterns.push_back(twice.patterns.front());
    CHECK_FALSE(RuleSet::compile(twice));
    RedactConfig unknown;
    unknown.detectors = {"emails"};
    const auto rules = RuleSet::compile(unknown);
    REQUIRE_FALSE(rules);
    CHECK(rules.error().message.find("emails") != std::string::npos);
    RedactConfig content;
    content.content_in_detail = "raw";
    CHECK_FALSE(RuleSet::compile(content));
}

TEST_CASE("the version tells configurations apart and is stable") {
    const RedactConfig config = with_pattern("ticket", "TKT-[0-9]{6}");
    const auto rules = RuleSet::compile(config);
    REQUIRE(rules);
    CHECK((*rules)->version().size() == 12);
    CHECK((*rules)->version() == (*RuleSet::compile(config))->version());
    CHECK((*rules)->version() != (*RuleSet::compile(RedactConfig{}))->version());
    RedactConfig fewer = config;
    fewer.detectors = {"email"};
    CHECK((*rules)->version() != (*RuleSet::compile(fewer))->version());
}

TEST_CASE("overlapping matches become one that covers both") {
    const auto rules = RuleSet::compile(with_pattern("ticket", "for jane"));
    REQUIRE(rules);
    std::vector<Match> matches;
    (*rules)->find("for jane@example.com, jane@example.com", {}, matches);
    REQUIRE(matches.size() == 2);
    CHECK(matches[0].begin == 0);
    CHECK(matches[0].end == 20);
    CHECK((*rules)->name(matches[0].rule) == "email");
    CHECK(matches[1].begin == 22);
}

TEST_CASE("key rules match whole keys and their last parts") {
    RedactConfig config;
    config.keys_drop = {"authorization"};
    config.keys_hash = {"user.email"};
    config.keys_allow = {"team"};
    const auto rules = RuleSet::compile(config);
    REQUIRE(rules);
    CHECK((*rules)->key_rule("Authorization") == KeyRule::drop);
    CHECK((*rules)->key_rule("http.request.header.authorization") == KeyRule::drop);
    CHECK((*rules)->key_rule("preauthorization") == KeyRule::none);
    CHECK((*rules)->key_rule("user.email") == KeyRule::hash);
    CHECK((*rules)->key_rule("email") == KeyRule::none);
    CHECK((*rules)->key_rule("team") == KeyRule::allow);
    CHECK((*rules)->key_rule("secret.team") == KeyRule::none);
}

}  // namespace
}  // namespace spangate
