#include "redact/text_redactor.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>
#include <simdjson.h>

namespace spangate {
namespace {

struct Redaction {
    explicit Redaction(const RedactConfig& config = {})
        : rules(*RuleSet::compile(config)),
          texts(*rules, key) {}

    std::string operator()(std::string_view text, KeyHints hints = {}) {
        std::string out;
        return texts.redact(text, hints, out) ? out : std::string(text);
    }

    HashKey key{"test key"};
    std::shared_ptr<const RuleSet> rules;
    TextRedactor texts;
};

bool is_json(const std::string& text) {
    simdjson::dom::parser parser;
    return parser.parse(text).error() == simdjson::SUCCESS;
}

TEST_CASE("text without a hit is told to be unchanged") {
    Redaction redaction;
    std::string out;
    CHECK_FALSE(redaction.texts.redact("nothing here", {}, out));
    CHECK_FALSE(redaction.texts.redact("{\"a\":\"nothing\\nhere\"}", {}, out));
}

TEST_CASE("matches are replaced by what names the rule") {
    Redaction redaction;
    CHECK(
        redaction("I am jane.doe@example.com, +1-415-555-0132; card 4111111111111111 (SSN "
                  "078-05-1120, IBAN DE89370400440532013000). AKIAIOSFODNN7EXAMPLE"
        ) == "I am [email], [phone]; card [card] (SSN [ssn], IBAN [iban]). [vendor_keys]"
    );
}

TEST_CASE("a text is judged by the key beside it, however often it stood elsewhere") {
    Redaction redaction;
    KeyHints version;
    version.version = true;
    KeyHints password;
    password.password = true;
    for (int i = 0; i < 2; ++i) {
        CHECK(redaction("10.20.30.40", version) == "10.20.30.40");
        CHECK(redaction("10.20.30.40") == "[ip]");
        CHECK(redaction("correct horse") == "correct horse");
        CHECK(redaction("correct horse", password) == "[entropy]");
    }
}

TEST_CASE("an id that is clean as an id only is still found as a text") {
    Redaction redaction;
    std::vector<Match> matches;
    for (int i = 0; i < 2; ++i) {
        redaction.texts.find_in_id("415-555-0132", matches);
        CHECK(matches.empty());
        CHECK(redaction("415-555-0132") == "[phone]");
    }
}

TEST_CASE("patterns of the user act as they say") {
    RedactConfig config;
    config.patterns = {
        {"ticket", "TKT-[0-9]{6}", "mask"},
        {"order", "ORD-[0-9]{6}", "hash"},
        {"nickname", "Janey", "drop"},
        {"account", "ACC-[0-9]{6}", "keep_last4"}};
    Redaction redaction(config);
    CHECK(redaction("see TKT-123456") == "see [ticket]");
    CHECK(redaction("hi Janey!") == "hi !");
    CHECK(redaction("ACC-123456") == "****3456");
    const std::string hashed = redaction("ORD-123456");
    CHECK(hashed.size() == std::string_view("<order:1234:>").size() + 32);
    CHECK(hashed.substr(0, 12) == "<order:" + std::string(redaction.key.id()) + ":");
    CHECK(redaction("ORD-123456 ORD-123457") == hashed + " " + redaction("ORD-123457"));
}

TEST_CASE("detectors act as they say, and equal values have equal tokens") {
    RedactConfig config;
    config.detectors = {"all", "email:hash", "card:hash", "phone:keep_last4", "ssn:drop"};
    Redaction redaction(config);
    const std::string email = redaction("jane@example.com");
    CHECK(email.find("<email:" + std::string(redaction.key.id()) + ":") == 0);
    CHECK(redaction("Jane%40Example.com") == email);
    CHECK(
        redaction("jane\xEF\xBC\xA0"
                  "example.com") == email
    );
    CHECK(redaction("joe@example.com") != email);
    CHECK(redaction("4111 1111 1111 1111") == redaction("4111-1111-1111-1111"));
    CHECK(redaction("+1-415-555-0132") == "****0132");
    CHECK(redaction("x 078-05-1120 y") == "x  y");
    CHECK(redaction("10.0.0.1") == "[ip]");
    CHECK(redaction(email) == email);
    CHECK(is_json(redaction(R"({"a":"jane@example.com","b":4111111111111111})")));
    for (std::size_t bytes = 1; bytes < email.size(); ++bytes)
        CHECK(redacted_prefix(email, bytes).empty());
}

TEST_CASE("what a telling key has beside it in JSON is taken whole") {
    Redaction redaction;
    CHECK(redaction(R"({"password":"my secret phrase"})") == R"({"password":"[entropy]"})");
    CHECK(
        redaction(R"({"passwords":1,"password": ["hunter2", "hunter3"]})") ==
        R"({"passwords":1,"password": ["[entropy]", "[entropy]"]})"
    );
    CHECK(
        redaction(R"({"version":"1.2.3.4","host":"10.0.0.1"})") ==
        R"({"version":"1.2.3.4","host":"[ip]"})"
    );
    CHECK(
        redaction(R"({"authorization":"Token abcDEF0123456789xyz"})") ==
        R"({"authorization":"Token [entropy]"})"
    );
}

TEST_CASE("JSON is redacted by structure and stays JSON") {
    Redaction redaction;
    const std::string_view text =
        R"({"to":"jane.doe@example.com","card_number":4111111111111111,"n":3,"ok":true,)"
        R"("deep":[{"ssn":"078-05-1120"},null,"line\n4111 1111 1111 1111"]})";
    const std::string redacted = redaction(text);
    CHECK(
        redacted == R"({"to":"[email]","card_number":"[card]","n":3,"ok":true,)"
                    R"("deep":[{"ssn":"[ssn]"},null,"line\n[card]"]})"
    );
    CHECK(is_json(redacted));
}

TEST_CASE("keys in JSON are looked at, too") {
    Redaction redaction;
    CHECK(redaction(R"({"jane.doe@example.com":{"x":"\t"}})") == R"({"[email]":{"x":"\t"}})");
}

TEST_CASE("JSON in strings of JSON is redacted level by level") {
    Redaction redaction;
    const std::string twice =
        R"({"args":"{\"mail\":\"jane.doe@example.com\",\"n\":4111111111111111}"})";
    const std::string redacted = redaction(twice);
    CHECK(redacted == R"({"args":"{\"mail\":\"[email]\",\"n\":\"[card]\"}"})");
    CHECK(is_json(redacted));
    CHECK(
        redaction(R"("{\"a\":\"{\\\"mail\\\":\\\"jane.doe@example.com\\\"}\"}")") ==
        R"("{\"a\":\"{\\\"mail\\\":\\\"[email]\\\"}\"}")"
    );
}

TEST_CASE("escapes hide nothing") {
    Redaction redaction;
    CHECK(redaction(R"({"a":"jane.doe\u0040example.com"})") == R"({"a":"[email]"})");
    CHECK(redaction(R"({"a":"4111\u002d1111\u002d1111\u002d1111"})") == R"({"a":"[card]"})");
    CHECK(
        redaction(R"({"a":"https:\/\/jane:pa55@example.com"})").find("pa55") == std::string::npos
    );
    CHECK(
        redaction(R"({"a":"\ud83d\ude00 jane@example.com"})") ==
        "{\"a\":\"\xF0\x9F\x98\x80 [email]\"}"
    );
}

TEST_CASE("what only starts as JSON is redacted to its end") {
    Redaction redaction;
    CHECK(redaction(R"({"a":"x","b":"jane.doe@example.co)") == R"({"a":"x","b":"[email])");
    CHECK(redaction(R"({"a":"x"} and jane@example.com)") == R"({"a":"x"} and [email])");
    CHECK(redaction("{'mail': 'jane@example.com'}") == "{'mail': '[email]'}");
    CHECK(redaction("[4111 1111 1111 1111]") == "[[card]]");
    CHECK(redaction("[ERROR] jane@example.com") == "[ERROR] [email]");
    CHECK(redaction(R"({"a" "jane@example.com"})") == R"({"a" "[email]"})");
    CHECK(
        redaction("{\"a\":\"\\n\"}\n{\"b\":\"jane@example.com\"}\n") ==
        "{\"a\":\"\\n\"}\n{\"b\":\"[email]\"}\n"
    );
    CHECK(redaction(R"({"password":"hunter2x)") == R"({"password":"[entropy])");
}

TEST_CASE("a telling key in JSON makes its value a secret") {
    Redaction redaction;
    CHECK(redaction(R"({"password":"pa\"55"})") == R"({"password":"[entropy]"})");
    CHECK(redaction(R"({"phone":4155550132,"x":"\n"})") == R"({"phone":"[phone]","x":"\n"})");
    CHECK(redaction(R"({"phone":4155550132})") == R"({"phone":"[phone]"})");
}

TEST_CASE("key rules reach into JSON and take the whole value") {
    RedactConfig config;
    config.keys_drop = {"authorization"};
    config.keys_hash = {"customer"};
    Redaction redaction(config);
    CHECK(
        redaction(R"({"headers":{"Authorization":{"a":[1,{"b":"x"}]},"n":1}})") ==
        R"({"headers":{"Authorization":"[dropped]","n":1}})"
    );
    const std::string hashed = redaction(R"({"customer":"jane","n":1})");
    CHECK(hashed.find("jane") == std::string::npos);
    CHECK(hashed.find(R"({"customer":"h:)") == 0);
    CHECK(is_json(hashed));
    CHECK(redaction(R"({"authorization":"abc)") == R"({"authorization":"[dropped]")");
}

TEST_CASE("the same text is redacted in the same way every time") {
    Redaction first;
    Redaction second;
    const std::string_view text = R"({"a":"jane@example.com 10.0.0.1 \n"})";
    CHECK(first(text) == second(text));
    CHECK(first(text) == first(text));
}

TEST_CASE("redacted text is not redacted again") {
    Redaction redaction;
    const std::string once = redaction("jane@example.com password=hunter2 4111111111111111");
    CHECK(redaction(once) == once);
}

TEST_CASE("a prefix ends neither inside a replacement nor inside a character") {
    const std::string text = "mail [vendor_keys] \xE2\x82\xAC and more";
    for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
        const std::string prefix(redacted_prefix(text, bytes));
        CHECK(prefix.size() <= bytes);
        const std::size_t bracket = prefix.rfind('[');
        CHECK((bracket == std::string::npos || prefix.find(']') != std::string::npos));
        CHECK((prefix.empty() || prefix.back() != '\xE2'));
        CHECK((prefix.empty() || prefix.back() != '\x82'));
    }
    CHECK(redacted_prefix(text, text.size()) == text);
}

TEST_CASE("escaping finds what cannot stand in a JSON string, wherever it stands") {
    constexpr std::size_t bytes_max = 40;
    for (std::size_t at = 0; at < bytes_max; ++at) {
        for (const auto& [raw, escaped] : std::vector<std::pair<std::string, std::string>>{
                 {"\"", "\\\""},
                 {"\\", "\\\\"},
                 {"\n", "\\n"},
                 {std::string(1, '\0'), "\\u0000"},
                 {"\x1F", "\\u001f"},
                 {"\x7F", "\x7F"},
                 {" ", " "},
                 {"\xFF", "\xEF\xBF\xBD"},
                 {"\xC3\xBC", "\xC3\xBC"}}) {
            const std::string before(at, 'x');
            const std::string after(bytes_max - at, 'y');
            std::string out = "kept";
            append_json_escaped(before + raw + after, out);
            CHECK(out == "kept" + before + escaped + after);
        }
    }
}

}  // namespace
}  // namespace spangate
