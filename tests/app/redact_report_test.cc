#include "app/redact_report.h"

#include <string>

#include <catch2/catch.hpp>

namespace spangate {
namespace {

struct Context {
    [[nodiscard]] RedactReport report(std::string_view text, bool explains = true) {
        std::fill(texts.counts().begin(), texts.counts().end(), 0U);
        const bool is_changed = texts.redact(text, {}, redacted);
        RedactReport made{
            *rules,
            text,
            1,
            is_changed ? std::string_view(redacted) : text,
            texts.counts(),
            {},
            explains};
        if (explains) made.hits = finder.find(text);
        return made;
    }

    std::shared_ptr<const RuleSet> rules = *RuleSet::compile({});
    HashKey key{"test key"};
    TextRedactor texts{*rules, key};
    HitFinder finder{*rules, key};
    std::string redacted;
};

}  // namespace

TEST_CASE("people are told line, column in characters, byte, rule and action, never the value") {
    Context context;
    const std::string text = "erste Zeile\nüber jane@example.com und +14155550132\n";
    const std::string told = text_of(context.report(text));
    CHECK(
        told ==
        "2:6 (byte 18) email: mask, 16 characters of text, becomes [email]\n"
        "2:27 (byte 39) phone: mask, 12 characters of text, becomes [phone]\n"
    );
}

TEST_CASE("machines are told the same as one JSON object") {
    Context context;
    const std::string told = json_of(context.report("a \"quoted\" jane@example.com"));
    const std::string start = R"({"line":1,"ruleset":")" + std::string(context.rules->version());
    CHECK(
        told == start +
                    R"(","changed":true,"counts":{"email":1},"findings":[{"rule":"email",)"
                    R"("action":"mask","place":"text","line":1,"column":12,"byte":11,"bytes":16,)"
                    R"("exact":true,"becomes":"[email]"}],"redacted":"a \"quoted\" [email]"})"
    );
}

TEST_CASE("findings are left out when nobody asked for them") {
    Context context;
    const std::string told = json_of(context.report("nothing", false));
    CHECK(told.find("findings") == std::string::npos);
    CHECK(told.find(R"("changed":false,"counts":{},"redacted":"nothing")") != std::string::npos);
}

TEST_CASE("columns count characters, from one") {
    LineCounter place("aü€\n😀b");
    place.go_to(3);
    CHECK(place.line() == 1);
    CHECK(place.column() == 3);
    place.go_to(11);
    CHECK(place.line() == 2);
    CHECK(place.column() == 2);
    CHECK(characters_of("aü€😀") == 4);
}

}  // namespace spangate
