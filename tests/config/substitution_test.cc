#include "config/substitution.h"

#include <catch2/catch.hpp>

#include "support/environment_variable.h"
#include "support/temporary_directory.h"

namespace spangate {
namespace {

std::string text_of(std::string_view text) {
    const Result<SubstitutedText> result = substitute(text);
    REQUIRE(result.has_value());
    return result->text;
}

std::string fault_of(std::string_view text) {
    const Result<SubstitutedText> result = substitute(text);
    REQUIRE_FALSE(result.has_value());
    return result.error().message;
}

}  // namespace

TEST_CASE("variables are put in, more than one in a text") {
    const EnvironmentVariable host("SPANGATE_TEST_HOST", "kafka");
    const EnvironmentVariable port("SPANGATE_TEST_PORT", "9092");

    CHECK(text_of("${env:SPANGATE_TEST_HOST}:${env:SPANGATE_TEST_PORT}") == "kafka:9092");
    CHECK(substitute("${env:SPANGATE_TEST_HOST}")->has_substitution);
    CHECK_FALSE(substitute("plain")->has_substitution);
}

TEST_CASE("a default holds for what is unset or empty") {
    const EnvironmentVariable unset("SPANGATE_TEST_A", nullptr);
    const EnvironmentVariable empty("SPANGATE_TEST_B", "");
    const EnvironmentVariable set("SPANGATE_TEST_C", "c");

    CHECK(text_of("${env:SPANGATE_TEST_A:-a:b}") == "a:b");
    CHECK(text_of("${env:SPANGATE_TEST_A:-}").empty());
    CHECK(text_of("${env:SPANGATE_TEST_B:-b}") == "b");
    CHECK(text_of("${env:SPANGATE_TEST_B}").empty());
    CHECK(text_of("${env:SPANGATE_TEST_C:-x}") == "c");
}

TEST_CASE("a variable that is not set and has no default is a fault with its name") {
    const EnvironmentVariable unset("SPANGATE_TEST_A", nullptr);
    CHECK(
        fault_of("x${env:SPANGATE_TEST_A}") ==
        "the environment variable SPANGATE_TEST_A is not set; set it, or write "
        "${env:SPANGATE_TEST_A:-default}"
    );
}

TEST_CASE("what was put in is not looked at again") {
    const EnvironmentVariable tricky("SPANGATE_TEST_A", "${env:HOME} $$");
    CHECK(text_of("${env:SPANGATE_TEST_A}") == "${env:HOME} $$");
}

TEST_CASE("a file's content is put in without its last line end") {
    const TemporaryDirectory directory;
    CHECK(text_of("${file:" + directory.file("a", "secret\n") + "}") == "secret");
    CHECK(text_of("${file:" + directory.file("b", "secret\r\n") + "}") == "secret");
    CHECK(text_of("${file:" + directory.file("c", "a\n\n") + "}") == "a\n");
    CHECK(text_of("${file:" + directory.file("d", "") + "}").empty());
}

TEST_CASE("files that are missing, too large or no files are faults") {
    const TemporaryDirectory directory;
    const std::string large = directory.file("large", std::string((1 << 20) + 1, 'x'));

    CHECK(fault_of("${file:" + directory.path() + "/none}").find("cannot read") == 0);
    CHECK(
        fault_of("${file:" + directory.path() + "}").find("it is a directory") != std::string::npos
    );
    CHECK(fault_of("${file:" + large + "}").find("larger than") != std::string::npos);
    CHECK(fault_of("${file:/dev/zero}").find("larger than") != std::string::npos);
    CHECK(fault_of("${file:}").find("no path") == 0);
}

TEST_CASE("dollars stand for themselves, alone or doubled") {
    CHECK(text_of("^abc$") == "^abc$");
    CHECK(text_of("a$b") == "a$b");
    CHECK(text_of("a$$b") == "a$b");
    CHECK(text_of("$${env:HOME}") == "${env:HOME}");
    CHECK(text_of("$$$${") == "$${");
}

TEST_CASE("what looks like a substitution and is none is a fault") {
    CHECK(fault_of("${HOME}").find("write ${env:NAME}") == 0);
    CHECK(fault_of("${env:}").find("not a variable's name") == 0);
    CHECK(fault_of("${env:1A}").find("not a variable's name") == 0);
    CHECK(fault_of("${yaml:a}").find("only ${env:NAME}") == 0);
    CHECK(fault_of("${env:A").find("${ without its }") == 0);
}

TEST_CASE("an escaped text substitutes to itself") {
    for (const char* text : {"", "$", "$$", "$$$", "${", "a${env:X}b", "$${", "^a$", "$a$$b$"}) {
        CAPTURE(text);
        CHECK(text_of(escape_substitution(text)) == text);
    }
}

}  // namespace spangate
