// An HTTP/1.1 server: a listener and a few threads, each with its own connections. What is answered
// is the HttpHandler's affair (net/http_handler.h). No Boost type shows here.
//
//   listen()  →  start()  →  close_intake()  →  drain(deadline)  →  destructor
//
// listen() to drain() are for one thread, and none of the server's own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "config/config.h"
#include "net/http_handler.h"
#include "net/http_limits.h"
#include "observe/metrics.h"

namespace spangate {

struct HttpServerOptions {
    std::string name;      // for metrics, logs and thread names, such as «otlp_http»
    std::string endpoint;  // host:port, [v6]:port or :port; port 0: any free one
    std::uint32_t threads = 1;
    HttpLimits limits;
    TlsServerConfig tls;  // cert_file set: TLS
};

class HttpServer {
  public:
    // Binds and listens; connections wait in the kernel until start(). `handler`, `clock` and
    // `metrics` outlive the server.
    [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(
        HttpServerOptions options, HttpHandler& handler, const Clock& clock, Metrics& metrics
    );
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    void start();

    [[nodiscard]] std::uint16_t port() const;

    // New connections get certificates read now; on an error the old ones stay.
    [[nodiscard]] Status reload_tls(const TlsServerConfig& config);

    // Accepts no more, closes idle connections, and answers what is under way with
    // «Connection: close». Requests still reach the handler meanwhile.
    void close_intake();

    // Waits until every connection is gone, or `deadline` (steady clock); then closes the rest and
    // ends the threads. True when nothing had to be cut off.
    bool drain(SteadyTime deadline);

  private:
    class Impl;
    explicit HttpServer(std::unique_ptr<Impl> impl);

    std::unique_ptr<Impl> impl_;
};

}  // namespace spangate
