// Copies over OTLP/gRPC: Export of the signal's service, with the bytes as they came. JSON bodies
// cannot go this way. All senders of a tee share one channel. gRPC's headers stay in the .cc.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/url.h"
#include "tee/tee_sender.h"

namespace spangate {

// Nothing is connected yet. TLS, where the URL asks for it, goes by the system's CAs, or those of
// `ca_pem` when it is not empty.
[[nodiscard]] std::vector<std::unique_ptr<TeeSender>> make_grpc_tee_senders(
    const Url& server, std::size_t count, const std::string& ca_pem = {}
);

}  // namespace spangate
