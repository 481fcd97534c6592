#include "spool/spool_directory.h"

#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/statfs.h>
#include <unistd.h>

namespace spangate {
namespace {

constexpr std::string_view lock_name = "/lock";
constexpr unsigned lock_mode = 0640;

tl::unexpected<Error> failed(const char* tried, const std::string& path, int error_number) {
    return fail(
        ErrorCode::io,
        std::string("cannot ") + tried + " " + path + ": " +
            std::generic_category().message(error_number)
    );
}

struct ::flock whole_file() {
    struct ::flock range {};

    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    return range;
}

// Whoever holds the lock wrote its number into the file.
std::string holder_in(int descriptor) {
    std::array<char, 32> bytes{};
    const ::ssize_t count = ::pread(descriptor, bytes.data(), bytes.size(), 0);
    const std::string_view text(bytes.data(), count > 0 ? static_cast<std::size_t>(count) : 0);
    const std::string_view digits = text.substr(0, text.find_first_not_of("0123456789"));
    return digits.empty() ? "another process" : "process " + std::string(digits);
}

Status make(const std::string& path) {
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(path, error);
    if (error) return failed("make directory", path, error.value());
    if (!is_new) return {};
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
    if (error) return failed("protect", path, error.value());
    return {};
}

Status check_kind(const std::string& path) {
    struct ::statfs facts {};

    if (::statfs(path.c_str(), &facts) != 0) return failed("look at", path, errno);
    const auto kind = static_cast<unsigned long>(facts.f_type);
    if (kind != TMPFS_MAGIC && kind != RAMFS_MAGIC) return {};
    return fail(
        ErrorCode::unsupported,
        "the spool's directory " + path +
            " is in memory: what is acknowledged would be lost with the machine; give one on a "
            "disk, or set spool.allow_volatile: true"
    );
}

}  // namespace

Result<std::unique_ptr<SpoolDirectory>> SpoolDirectory::lock(
    const std::string& path, bool allows_volatile
) {
    Status ready = make(path);
    if (ready && !allows_volatile) ready = check_kind(path);
    if (!ready) return tl::unexpected(std::move(ready.error()));
    const std::string file = path + std::string(lock_name);
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, lock_mode);
    if (descriptor < 0) return failed("open", file, errno);
    std::unique_ptr<SpoolDirectory> locked(new SpoolDirectory(descriptor));
    struct ::flock range = whole_file();
    if (::fcntl(descriptor, F_OFD_SETLK, &range) != 0) {
        if (errno != EAGAIN && errno != EACCES) return failed("lock", file, errno);
        return fail(
            ErrorCode::conflict, "the spool in " + path + " is held by " + holder_in(descriptor)
        );
    }
    const std::string own = std::to_string(::getpid()) + "\n";
    // For messages only: the lock is what counts.
    if (::ftruncate(descriptor, 0) == 0) (void)!::pwrite(descriptor, own.data(), own.size(), 0);
    return locked;
}

SpoolDirectory::~SpoolDirectory() {
    ::close(descriptor_);
}

std::string spool_holder(const std::string& path) {
    const std::string file = path + std::string(lock_name);
    const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) return {};
    struct ::flock range = whole_file();
    const bool is_held = ::fcntl(descriptor, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
    std::string holder = is_held ? holder_in(descriptor) : std::string();
    ::close(descriptor);
    return holder;
}

}  // namespace spangate
