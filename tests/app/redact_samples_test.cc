#include "app/redact_samples.h"

#include <string>

#include <catch2/catch.hpp>

#include "app/json_node.h"
#include "app/sample_file.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

// The faults of a file, or «good».
std::string faults_of(std::string_view text) {
    const auto samples = parse_redact_samples(text, "s");
    return samples ? "good" : samples.error().message;
}

ExitCode checked(const std::string& text, const RedactConfig& config = {}) {
    const TemporaryDirectory directory;
    return check_redact_samples(directory.file("samples", text), config);
}

}  // namespace

TEST_CASE("samples are read from a YAML list, a map with samples, and JSONL") {
    for (const std::string_view text :
         {"- {text: to jane@example.com, expect: [email], key: note, name: a mail}\n",
          "samples:\n  - {text: to jane@example.com, expect: [email], key: note, name: a mail}\n",
          "{\"text\":\"to jane@example.com\",\"expect\":[\"email\"],\"key\":\"note\",\"name\":\"a "
          "mail\"}\n\n"}) {
        const auto samples = parse_redact_samples(text, "s");
        REQUIRE(samples.has_value());
        REQUIRE(samples->size() == 1);
        const RedactSample& sample = samples->front();
        CHECK(sample.text == "to jane@example.com");
        CHECK(sample.key == "note");
        CHECK(sample.name == "a mail");
        REQUIRE(sample.expected.size() == 1);
        CHECK(sample.expected[0].kind == "email");
        CHECK_FALSE(sample.expected[0].has_span);
    }
}

TEST_CASE("a span is a value of the text or its bytes") {
    const auto samples = parse_redact_samples(
        "- {text: über jane@example.com, expect: [{kind: email, value: jane@example.com}]}\n"
        "- {text: über jane@example.com, expect: [{kind: email, begin: 6, end: 22}]}\n",
        "s"
    );
    REQUIRE(samples.has_value());
    for (const RedactSample& sample : *samples) {
        CHECK(sample.expected[0].begin == 6);
        CHECK(sample.expected[0].end == 22);
    }
}

TEST_CASE("a sample file that is wrong is told with places, all faults at once") {
    CHECK(
        faults_of("- {text: a}\n- {expect: clean}\n- 7\n- {text: a, expect: clean, tekst: b}\n") ==
        "s:1:3: expect is missing: clean, or a list\n"
        "s:2:3: text is missing\n"
        "s:3:3: a sample is a map with text and expect\n"
        "s:4:28: unknown key 'tekst'"
    );
    CHECK(
        faults_of("- {text: a, expect: [{kind: email, value: b}]}\n") ==
        "s:1:43: the text does not hold this value"
    );
    CHECK(
        faults_of("- {text: abc, expect: [{kind: email, begin: 2, end: 9}]}\n") ==
        "s:1:24: begin and end are bytes of the text, begin before end"
    );
    CHECK(faults_of("samples: 7\n") == "s:1:1: a list of samples, or a map with samples");
    CHECK(faults_of("{\"text\":\"a\",\"expect\":\"clean\"}\n{\"text\":\n") == "s:2:9: no JSON");
}

TEST_CASE("JSON keeps escapes that YAML does not know") {
    const auto node =
        parse_json_line(R"({"text":"\ud83d\ude00 \/ \u00fc","n":1,"x":null})", "s", 3);
    REQUIRE(node.has_value());
    CHECK(node->find("text")->scalar == "😀 / ü");
    CHECK(node->find("n")->scalar == "1");
    CHECK(node->find("x")->kind == YamlNode::Kind::null);
    CHECK_FALSE(parse_json_line("{\"a\":}", "s", 1).has_value());
    CHECK_FALSE(parse_json_line("{} x", "s", 1).has_value());
    CHECK_FALSE(parse_json_line(std::string(100, '['), "s", 1).has_value());
}

TEST_CASE("samples that are as expected are clean") {
    CHECK(
        checked("- {text: to jane@example.com, expect: [email]}\n"
                "- {text: to jane@example.com, expect: [{kind: email, value: jane@example.com}]}\n"
                "- {text: '{\"password\":\"hunter22\"}', expect: [entropy]}\n"
                "- {text: order 7, expect: clean}\n"
                "- {text: '14155550132', expect: [phone], key: user.phone}\n") == ExitCode::clean
    );
}

TEST_CASE("a miss, a false alarm and a wrong stretch are findings") {
    CHECK(checked("- {text: nothing here, expect: [email]}\n") == ExitCode::findings);
    CHECK(checked("- {text: to jane@example.com, expect: clean}\n") == ExitCode::findings);
    CHECK(
        checked("- {text: to jane@example.com, expect: [{kind: email, value: jane}]}\n") ==
        ExitCode::findings
    );
    CHECK(checked("- {text: to jane@example.com, expect: [email, card]}\n") == ExitCode::findings);
}

TEST_CASE("samples are judged by the configured rules, own patterns and key rules among them") {
    RedactConfig config;
    config.detectors = {"card"};
    config.patterns.push_back({"ticket", "TKT-[0-9]{6}", "hash"});
    config.keys_drop = {"cookie"};
    CHECK(
        checked(
            "- {text: to jane@example.com, expect: clean}\n"
            "- {text: see TKT-123456, expect: [ticket]}\n"
            "- {text: anything, key: http.cookie, expect: [key_drop]}\n",
            config
        ) == ExitCode::clean
    );
}

TEST_CASE("an unknown kind is a fault of the file, and a missing file one of the input") {
    CHECK(checked("- {text: a, expect: [emial]}\n") == ExitCode::usage);
    CHECK(checked("- {text: a}\n") == ExitCode::usage);
    CHECK(check_redact_samples("/nonexistent/samples", {}) == ExitCode::broken);
}

}  // namespace spangate
