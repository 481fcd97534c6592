#include "app/hash_key_source.h"

#include <array>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file_system.h"
#include "base/text.h"
#include "digest/sha256.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr std::string_view key_file_name = ".hash-key";
constexpr std::size_t key_text_size = 64;  // hex of 32 bytes

Status write_key(const std::string& path, std::string_view text) {
    const int descriptor = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (descriptor < 0) return fail(ErrorCode::io, "cannot create " + path);
    const bool is_written =
        ::write(descriptor, text.data(), text.size()) == static_cast<::ssize_t>(text.size()) &&
        ::fsync(descriptor) == 0;
    ::close(descriptor);
    if (!is_written) return fail(ErrorCode::io, "cannot write " + path);
    return {};
}

}  // namespace

Result<HashKeyText> find_hash_key(const Config& config, bool has_dev_broker) {
    if (!config.redact.hash_key.empty()) {
        return HashKeyText{config.redact.hash_key.reveal(), {}};
    }
    if (!config.exporters.kafka.brokers.empty() && !has_dev_broker) {
        return fail(
            ErrorCode::invalid_argument,
            "processors.redact.hash_key is required with real brokers, the same on every gateway "
            "of "
            "the cluster; make one with: openssl rand -hex 32"
        );
    }
    const std::string directory = config.exporters.jsonl.directory.empty()
                                      ? std::string("spangate-data")
                                      : config.exporters.jsonl.directory;
    PosixFileSystem files;
    if (Status made = files.make_directories(directory); !made) {
        return tl::unexpected(std::move(made.error()));
    }
    const std::string path = directory + "/" + std::string(key_file_name);
    if (const Result<std::string> kept = files.read(path); kept && kept->size() >= key_text_size) {
        return HashKeyText{*kept, path};
    }
    std::array<std::uint8_t, 32> bytes{};
    fill_random(bytes);
    std::string text = to_hex(bytes);
    if (Status written = write_key(path, text); !written) {
        return tl::unexpected(std::move(written.error()));
    }
    log_info("gateway", "made a hash key for this machine alone, kept in {}", path);
    return HashKeyText{std::move(text), path};
}

}  // namespace spangate
