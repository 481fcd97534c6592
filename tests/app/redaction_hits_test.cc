#include "app/redaction_hits.h"

#include <map>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

namespace spangate {
namespace {

std::shared_ptr<const RuleSet> rules_for(const RedactConfig& config = {}) {
    const auto rules = RuleSet::compile(config);
    REQUIRE(rules.has_value());
    return *rules;
}

struct Context {
    explicit Context(const RedactConfig& config = {}) : rules(rules_for(config)) {}

    // «rule at begin..end» of each hit.
    [[nodiscard]] std::vector<std::string> told(std::string_view text, KeyHints hints = {}) {
        std::vector<std::string> lines;
        for (const RedactionHit& hit : finder.find(text, hints)) {
            lines.push_back(
                std::string(rules->name(hit.rule)) + " " +
                std::string(text.substr(hit.begin, hit.end - hit.begin))
            );
        }
        return lines;
    }

    std::shared_ptr<const RuleSet> rules;
    HashKey key{"test key"};
    HitFinder finder{*rules, key};
};

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("a hit in text is told with its bytes") {
    Context context;
    CHECK(context.told("write to jane@example.com now") == Lines{"email jane@example.com"});
    CHECK(context.told("nothing to see").empty());
    CHECK(context.told("").empty());
}

TEST_CASE("a hit in JSON stands where it stands in the document, escapes and all") {
    Context context;
    const std::string text = R"({"a":"\u00fc \"jane@example.com\"","n":4111111111111111})";
    CHECK(context.told(text) == Lines{"email jane@example.com", "card 4111111111111111"});
    const std::vector<RedactionHit> hits = context.finder.find(text);
    REQUIRE(hits.size() == 2);
    CHECK(hits[0].place == HitPlace::string);
    CHECK(hits[0].becomes == "[email]");
    CHECK(hits[1].place == HitPlace::number);
}

TEST_CASE("a hit in JSON inside a string is told at its place in the outermost text") {
    Context context;
    const std::string text =
        R"({"json":"{\"x\":\"jane@example.com\",\"y\":\"{\\\"z\\\":\\\"AKIAIOSFODNN7EXAMPLE\\\"}\"}"})";
    CHECK(
        context.told(text) == Lines{"email jane@example.com", "vendor_keys AKIAIOSFODNN7EXAMPLE"}
    );
}

TEST_CASE("a hit in a key is told, and its value by the hints of the key") {
    Context context;
    const std::string text = R"({"jane@example.com":1,"password":"hunter22"})";
    const Lines told = context.told(text);
    REQUIRE(told.size() == 2);
    CHECK(told[0] == "email jane@example.com");
    CHECK(told[1] == "entropy hunter22");
}

TEST_CASE("a key rule takes the whole value, however deep") {
    RedactConfig config;
    config.keys_drop = {"cookie"};
    config.keys_hash = {"user"};
    Context context(config);
    const std::string text = R"({"cookie":{"a":[1,2]},"user":"jane","x":"jane@example.com"})";
    CHECK(
        context.told(text) ==
        Lines{R"(key_drop {"a":[1,2]})", "key_hash jane", "email jane@example.com"}
    );
    CHECK(action_of(*context.rules, rules::key_drop) == MatchAction::drop);
    CHECK(action_of(*context.rules, rules::key_hash) == MatchAction::hash);
}

TEST_CASE("the rest of a text that is no JSON after all is searched as text") {
    Context context;
    CHECK(context.told(R"({"a":1} and jane@example.com)") == Lines{"email jane@example.com"});
    CHECK(context.told(R"([1, 4111 1111 1111 1111)") == Lines{"card 4111 1111 1111 1111"});
}

TEST_CASE("an own pattern is told by its name with what takes its place") {
    RedactConfig config;
    config.patterns.push_back({"ticket", "TKT-[0-9]{6}", "hash"});
    Context context(config);
    const std::vector<RedactionHit> hits = context.finder.find("see TKT-123456");
    REQUIRE(hits.size() == 1);
    CHECK(context.rules->name(hits[0].rule) == "ticket");
    CHECK(action_of(*context.rules, hits[0].rule) == MatchAction::hash);
    CHECK_FALSE(hits[0].becomes.empty());
    CHECK(hits[0].becomes.find("123456") == std::string::npos);
}

TEST_CASE("as many hits are told as the engine counts, whatever the text") {
    Context context;
    TextRedactor engine(*context.rules, context.key);
    CHECK(rc::check([&] {
        static const std::vector<std::string> pieces = {
            "jane@example.com",
            "4111111111111111",
            "\\",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "a",
            "\\u00fc",
            "password",
            "\\\"",
            "{\"a\":\"",
            "\"}",
            "hunter22x",
            " ",
            "-",
            "1.5e3",
            "\n"};
        std::string text;
        for (int i = *rc::gen::inRange(0, 30); i > 0; --i)
            text += pieces[*rc::gen::inRange<std::size_t>(0, pieces.size())];
        std::fill(engine.counts().begin(), engine.counts().end(), 0U);
        std::string redacted;
        const bool is_changed = engine.redact(text, {}, redacted);
        const std::vector<RedactionHit> hits = context.finder.find(text);
        RC_ASSERT(is_changed == !hits.empty());
        std::map<RuleId, std::uint32_t> found;
        for (const RedactionHit& hit : hits) {
            RC_ASSERT(hit.begin <= hit.end);
            RC_ASSERT(hit.end <= text.size());
            ++found[hit.rule];
        }
        for (std::size_t rule = 0; rule < engine.counts().size(); ++rule)
            RC_ASSERT(found[static_cast<RuleId>(rule)] >= engine.counts()[rule]);
    }));
}

}  // namespace spangate
