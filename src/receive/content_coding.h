// Content codings of request bodies (RFC 9110 §8.4): gzip (RFC 1952, also of several members),
// deflate (zlib, RFC 1950; bare RFC 1951 is taken too, as browsers do), zstd (RFC 8878, also of
// several frames). Inflating is streamed under limits, so a bomb costs what the limit allows, not
// what it claims.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include "base/result.h"
#include "config/config.h"
#include "model/request.h"

namespace spangate {

enum class ContentCoding : std::uint8_t { identity, gzip, deflate, zstd };

// A body may grow to this many times its size on the wire; judged after the first MiB, because
// small honest bodies compress better than that.
inline constexpr Bytes inflate_ratio_max = 200;
inline constexpr Bytes inflate_ratio_free_bytes = mib;

// A zstd frame that asks for a larger window is refused before it is given one: 2^23 is 8 MiB, what
// RFC 8878 asks decoders to support.
inline constexpr int zstd_window_log_max = 23;

// From the value of Content-Encoding or grpc-encoding: either case, blanks around, `x-gzip`, empty
// for identity. Nothing for what we do not speak, chains of codings included.
[[nodiscard]] std::optional<ContentCoding> content_coding_from(std::string_view header_value);

// Asked before the body's buffer grows to `bytes` in all; an error stops the work and is returned.
using GrowBody = std::function<Status(Bytes bytes)>;

// The body that `wire`, in one or several pieces, stands for. Fails with too_large (over
// `bytes_max` or the ratio), invalid_argument (damaged, cut short, or bytes after the end), or what
// `grow` said. Empty input is an empty body. Any thread; library state is kept per thread.
[[nodiscard]] Result<Body> inflate(
    ContentCoding coding,
    std::span<const std::string_view> wire,
    Bytes bytes_max,
    const GrowBody& grow
);
[[nodiscard]] Result<Body> inflate(
    ContentCoding coding, std::string_view wire, Bytes bytes_max, const GrowBody& grow
);

}  // namespace spangate
