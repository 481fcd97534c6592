// The words of an HTTP/1.1 exchange (RFC 9110, RFC 9112): request head, response, and the pure
// functions around them. No sockets, no threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/config.h"

namespace spangate {

struct HttpField {
    std::string_view name;
    std::string_view value;
};

// A request's head. The views belong to the connection and are good until the request's body is
// complete; copy what is needed longer.
struct HttpHead {
    std::string_view method;
    std::string_view target;  // as sent
    std::string_view path;    // of the target, without scheme, authority and query
    std::vector<HttpField> fields;
    std::optional<Bytes> content_length;  // nothing when chunked; 0 without a body
    bool is_chunked = false;
    bool keeps_alive = false;
    bool expects_continue = false;
    std::string_view peer_address;  // without port
    std::uint16_t peer_port = 0;
    std::string_view peer_name;     // CN of the client's verified certificate; empty: none

    // The first field of that name, either case; empty: none.
    [[nodiscard]] std::string_view field(std::string_view name) const;

    [[nodiscard]] std::size_t count_of(std::string_view name) const;
};

struct HttpResponse {
    std::uint16_t status = 200;
    std::string content_type = "text/plain; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> fields;  // further ones; no CR or LF
    bool closes_connection = false;
};

// A line of text, after which nothing more can be understood or done.
[[nodiscard]] HttpResponse closing_response(std::uint16_t status, std::string_view message);

// Status line and fields, ended by the empty line. The length told is that of response.body.
[[nodiscard]] std::string format_response_head(const HttpResponse& response, bool keeps_alive);

// «/v1/traces» of «/v1/traces?x=1» and of «http://host/v1/traces».
[[nodiscard]] std::string_view path_of(std::string_view target);

enum class HeadState : std::uint8_t { incomplete, complete, malformed };

struct HeadScan {
    HeadState state = HeadState::incomplete;
    std::size_t bytes = 0;  // of the head with its empty line, when complete
};

// Looks for the end of a head in `bytes`, of which `scanned` were seen before. Malformed is what
// two readers could understand differently: a CR or LF alone, NUL, a folded line, a first byte that
// no method starts with.
[[nodiscard]] HeadScan scan_head(std::string_view bytes, std::size_t scanned);

}  // namespace spangate
