// A client for one HTTP/1.1 server, plain or TLS with the system's CAs, over one connection that is
// kept alive. For background work: post() blocks its caller, up to a deadline.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/url.h"

namespace spangate {

struct HttpClientReply {
    std::uint16_t status = 0;
    std::optional<std::chrono::seconds> retry_after;  // the field, where it tells seconds
};

class HttpClient {
  public:
    // The body of a reply is read up to this and forgotten; behind a longer one the connection is
    // closed.
    static constexpr std::uint64_t reply_body_bytes_max = 64 * 1024;

    // Fails when TLS is asked for and the system's CAs cannot be loaded. `ca_file` stands in for
    // them when it is not empty. Nothing is connected yet.
    [[nodiscard]] static Result<std::unique_ptr<HttpClient>> open(
        const Url& server, const std::string& ca_file = {}
    );
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    // POST to the server's path followed by `path`. Connects where needed; a kept connection that
    // the server has closed meanwhile is made anew once. Fails with unavailable when there is no
    // whole reply until `deadline`: the server may or may not have taken the request. Looking up a
    // name has the resolver's own limit. One caller at a time.
    [[nodiscard]] Result<HttpClientReply> post(
        std::string_view path,
        std::string_view content_type,
        std::string_view body,
        SteadyTime deadline
    );

    // From any thread: a post() under way fails soon, and every later one at once.
    void cancel();

  private:
    class Impl;
    explicit HttpClient(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace spangate
