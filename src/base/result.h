// The only error vocabulary of the program.
//
// A function that can fail returns Result<T>. An Error answers one question for its caller:
// would the same input fail again (`retryable`)? Its message says what was tried, on what, and what
// to do; it never holds payload bytes, because messages reach logs and clients.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <tl/expected.hpp>

namespace spangate {

enum class ErrorCode : std::uint8_t {
    invalid_argument,   // the input is wrong; it would fail again
    too_large,          // over a named limit; it would fail again
    unsupported,        // a media type, coding or method we do not speak
    unauthenticated,    // no or bad credentials
    permission_denied,  // credentials known, right missing
    not_found,
    conflict,       // exists already, or differs from what was asked
    rate_limited,   // over a rate; come back later
    unavailable,    // a dependency is away or full; come back later
    shutting_down,  // draining; another instance, or this one later, will take it
    io,             // a local file or device failed
    internal,       // our own mistake
};

struct Error {
    ErrorCode code = ErrorCode::internal;
    std::string message;

    [[nodiscard]] bool retryable() const {
        return code == ErrorCode::rate_limited || code == ErrorCode::unavailable ||
               code == ErrorCode::shutting_down;
    }
};

template <typename T>
using Result = tl::expected<T, Error>;

using Status = Result<void>;

[[nodiscard]] inline tl::unexpected<Error> fail(ErrorCode code, std::string message) {
    return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace spangate
