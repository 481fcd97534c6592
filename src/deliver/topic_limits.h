// What a topic takes: asked of the broker, because a record above max.message.bytes is refused for
// good, and evidence can be cut to fit.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"
#include "config/config.h"

struct rd_kafka_s;

namespace spangate {

// The smallest max.message.bytes of `topics`. Waits up to `timeout`. permission_denied without the
// right to describe a topic's configuration.
[[nodiscard]] Result<std::uint64_t> read_record_bytes_max(
    rd_kafka_s* client, const std::vector<std::string>& topics, Millis timeout
);

}  // namespace spangate
