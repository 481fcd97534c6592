// The bodies that `spangate explain` reads: a file or standard input as an SDK or a proxy left it.
// What it is, is found by looking: a captured gRPC message, gzip, zlib or zstd around it, JSON
// (also one body a line, as the Collector's file exporter writes) or protobuf, traces or logs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "model/request.h"

namespace spangate {

struct FoundBody {
    Signal signal = Signal::traces;
    BodyEncoding encoding = BodyEncoding::protobuf;
    Body body;
    std::string looks_like;  // «gzip, protobuf, traces»
};

// Fails with `io` when it cannot be read and with `invalid_argument` when it is no OTLP; the
// message says what it looked like. `path` `-` is standard input; `signal` overrides what is found.
[[nodiscard]] Result<std::vector<FoundBody>> read_bodies(
    const std::string& path, std::optional<Signal> signal, const ReceiverLimits& limits
);

// The same of bytes that are there already.
[[nodiscard]] Result<std::vector<FoundBody>> find_bodies(
    std::string_view bytes, std::optional<Signal> signal, const ReceiverLimits& limits
);

}  // namespace spangate
