#include "deliver/evidence_key_file.h"

#include <string>

#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "support/temporary_directory.h"

namespace spangate {
namespace {

std::string line_of(const std::string& key_id) {
    return R"({"schema_version":1,"key_id":")" + key_id +
           R"(","tenant_id":"acme","wrapped":"c2VjcmV0IGJ5dGVz","created":"2026"})" + "\n";
}

TEST_CASE("keys are appended to a file that only its owner reads, behind a torn line") {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    const std::string path = directory.path() + "/evidence-keys.jsonl";
    {
        EvidenceKeyFile keys(directory.path(), files);
        REQUIRE(keys.append(line_of("a")));
        REQUIRE(keys.append(line_of("b") + "{\"torn"));
    }
    EvidenceKeyFile again(directory.path(), files);
    REQUIRE(again.append(line_of("c")));
    const auto text = files.read(path);
    REQUIRE(text);
    CHECK(*text == line_of("a") + line_of("b") + "{\"torn\n" + line_of("c"));

    struct ::stat facts {};

    REQUIRE(::stat(path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777U) == 0600U);
}

TEST_CASE("an erased key is overwritten where it stands, the others stay as they are") {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    const std::string path = directory.path() + "/evidence-keys.jsonl";
    EvidenceKeyFile keys(directory.path(), files);
    REQUIRE(keys.append(line_of("a") + line_of("b") + line_of("c")));
    const auto erased = erase_evidence_keys(directory.path(), {"b", "unknown"});
    REQUIRE(erased);
    CHECK(*erased == 1);
    REQUIRE(keys.append(line_of("d")));  // the gateway goes on meanwhile
    const auto text = files.read(path);
    REQUIRE(text);
    std::string left = R"({"key_id":"b","is_erased":true)";
    left.resize(line_of("b").size() - 2, ' ');
    CHECK(*text == line_of("a") + left + "}\n" + line_of("c") + line_of("d"));
    const auto told = files.read(directory.path() + "/evidence-keys-erased.jsonl");
    REQUIRE(told);
    CHECK(*told == "{\"key_id\":\"b\"}\n");
}

TEST_CASE("without a file there is nothing to erase") {
    const TemporaryDirectory directory;
    const auto erased = erase_evidence_keys(directory.path(), {"a"});
    REQUIRE_FALSE(erased);
    CHECK(erased.error().code == ErrorCode::not_found);
}

}  // namespace
}  // namespace spangate
