#include "app/file_watch.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include <catch2/catch.hpp>

#include "support/temporary_directory.h"

using namespace spangate;  // NOLINT

namespace {

void write(const std::string& path, std::string_view text) {
    std::ofstream(path, std::ios::trunc) << text;
}

}  // namespace

TEST_CASE("a rewritten, renamed or relinked file is noticed once, a touched one is not") {
    const TemporaryDirectory directory;
    PosixFileSystem files;
    const std::string path = directory.path() + "/client.pem";
    write(path, "one");
    FileWatch watch(files, {"", path});
    CHECK_FALSE(watch.changed());
    write(path, "one");
    CHECK_FALSE(watch.changed());
    write(path, "two");
    CHECK(watch.changed());
    CHECK_FALSE(watch.changed());
    write(directory.path() + "/new.pem", "three");
    std::filesystem::rename(directory.path() + "/new.pem", path);
    CHECK(watch.changed());
    write(directory.path() + "/target.pem", "four");
    std::filesystem::remove(path);
    CHECK_FALSE(watch.changed());
    std::filesystem::create_symlink(directory.path() + "/target.pem", path);
    CHECK(watch.changed());
}
