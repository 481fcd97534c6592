#include "net/tls_context.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <catch2/catch.hpp>

#include "support/certificates.h"
#include "support/eventually.h"
#include "support/http_context.h"
#include "support/raw_tls.h"

using namespace spangate;
using namespace spangate::testing;

namespace {

const std::string name_request = "GET /name HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

}  // namespace

TEST_CASE("a missing or wrong file is named") {
    const Certificates certificates;
    TlsServerConfig config;
    config.cert_file = "/nowhere/cert.pem";
    CHECK(TlsContext::load(config).error().message.find("/nowhere/cert.pem") != std::string::npos);
    config.cert_file = certificates.certificate("server");
    config.key_file = certificates.key("client");
    CHECK_FALSE(TlsContext::load(config));
    config.key_file = certificates.key("server");
    CHECK(TlsContext::load(config));
    config.client_ca_file = "/nowhere/ca.pem";
    CHECK_FALSE(TlsContext::load(config));
}

TEST_CASE("a server with a certificate speaks TLS, and no plain HTTP") {
    const Certificates certificates;
    HttpContext context;
    context.options.tls.cert_file = certificates.certificate("server");
    context.options.tls.key_file = certificates.key("server");
    const std::uint16_t port = context.start();

    RawTls client(port, certificates.certificate("ca"));
    REQUIRE(client.is_connected());
    const std::string body(300'000, 'x');
    const std::string answer = client.exchange(post("/echo", body, "Connection: close\r\n"));
    CHECK(answer.starts_with("HTTP/1.1 200 OK"));
    CHECK(answer.ends_with(body));

    RawHttp plain(port);
    plain.send(get("/name"));
    CHECK(plain.receive().status == 0);
    CHECK(context.troubles("handshake_failed") == 1);
}

TEST_CASE("with a client CA the verified name is known, and strangers stay outside") {
    const Certificates certificates;
    HttpContext context;
    context.options.tls.cert_file = certificates.certificate("server");
    context.options.tls.key_file = certificates.key("server");
    context.options.tls.client_ca_file = certificates.certificate("ca");
    const std::uint16_t port = context.start();
    const std::string ca = certificates.certificate("ca");

    RawTls known(port, ca, certificates.certificate("client"), certificates.key("client"));
    CHECK(known.exchange(name_request).ends_with("\r\n\r\nacme"));
    RawTls stranger(port, ca, certificates.certificate("stranger"), certificates.key("stranger"));
    CHECK(stranger.exchange(name_request).empty());
    RawTls nobody(port, ca);
    CHECK(nobody.exchange(name_request).empty());
    // Counted when the server has seen the end of it, which the client need not wait for.
    CHECK(eventually([&] { return context.troubles("handshake_failed") == 2; }));
}

TEST_CASE("a refused request over TLS hears why, though its body was not read") {
    const Certificates certificates;
    HttpContext context;
    context.handler.body_bytes_max = 1000;
    context.options.limits.discard_bytes_max = 1000;
    context.options.tls.cert_file = certificates.certificate("server");
    context.options.tls.key_file = certificates.key("server");
    RawTls client(context.start(), certificates.certificate("ca"));
    const std::string answer = client.exchange(post("/echo", std::string(100'000, 'x')));
    CHECK(answer.starts_with("HTTP/1.1 413 "));
}

TEST_CASE("a reload brings new certificates to new connections, or leaves the old ones") {
    const Certificates old_ones;
    const Certificates new_ones;
    HttpContext context;
    context.options.tls.cert_file = old_ones.certificate("server");
    context.options.tls.key_file = old_ones.key("server");
    const std::uint16_t port = context.start();
    TlsServerConfig config = context.options.tls;

    config.cert_file = "/nowhere/cert.pem";
    CHECK_FALSE(context.server->reload_tls(config));
    CHECK(RawTls(port, old_ones.certificate("ca")).is_connected());
    config.cert_file = new_ones.certificate("server");
    config.key_file = new_ones.key("server");
    CHECK(context.server->reload_tls(config));
    CHECK(RawTls(port, new_ones.certificate("ca")).is_connected());
    CHECK_FALSE(RawTls(port, old_ones.certificate("ca")).is_connected());
}
