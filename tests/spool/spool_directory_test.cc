#include "spool/spool_directory.h"

#include <filesystem>

#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>

#include "support/temporary_directory.h"

namespace spangate {

TEST_CASE("one holder at a time, named to the next; the lock ends with it") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/spool";
    CHECK(spool_holder(path).empty());
    {
        const auto first = SpoolDirectory::lock(path, true);
        REQUIRE(first.has_value());
        CHECK(spool_holder(path) == "process " + std::to_string(::getpid()));
        const auto second = SpoolDirectory::lock(path, true);
        REQUIRE_FALSE(second.has_value());
        CHECK(second.error().code == ErrorCode::conflict);
        CHECK(second.error().message.find(std::to_string(::getpid())) != std::string::npos);
    }
    CHECK(spool_holder(path).empty());
    CHECK(SpoolDirectory::lock(path, true).has_value());
}

TEST_CASE("the directory is made for its owner only") {
    const TemporaryDirectory directory;
    const std::string path = directory.path() + "/a/spool";
    REQUIRE(SpoolDirectory::lock(path, true).has_value());
    CHECK(std::filesystem::status(path).permissions() == std::filesystem::perms::owner_all);
}

TEST_CASE("a directory in memory is refused unless it is allowed") {
    const std::string path = "/dev/shm/spangate-spool-test-" + std::to_string(::getpid());

    struct ::statfs facts {};

    if (::statfs("/dev/shm", &facts) != 0 || facts.f_type != 0x01021994) {
        WARN("/dev/shm is not a tmpfs here");
        return;
    }
    const auto refused = SpoolDirectory::lock(path, false);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == ErrorCode::unsupported);
    CHECK(SpoolDirectory::lock(path, true).has_value());
    std::filesystem::remove_all(path);
}

}  // namespace spangate
