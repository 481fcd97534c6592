// A blocking TLS client over RawHttp's socket.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

#include "support/raw_http.h"

namespace spangate::testing {

class RawTls {
  public:
    // Trusts `ca_file` only; shows a certificate when `certificate_file` is given.
    RawTls(
        std::uint16_t port,
        const std::string& ca_file,
        const std::string& certificate_file = {},
        const std::string& key_file = {}
    )
        : tcp_(port),
          context_(SSL_CTX_new(TLS_client_method())) {
        SSL_CTX_load_verify_locations(context_, ca_file.c_str(), nullptr);
        SSL_CTX_set_verify(context_, SSL_VERIFY_PEER, nullptr);
        if (!certificate_file.empty()) {
            SSL_CTX_use_certificate_chain_file(context_, certificate_file.c_str());
            SSL_CTX_use_PrivateKey_file(context_, key_file.c_str(), SSL_FILETYPE_PEM);
        }
        tls_ = SSL_new(context_);
        SSL_set1_host(tls_, "localhost");
        SSL_set_fd(tls_, tcp_.native());
        is_connected_ = SSL_connect(tls_) == 1;
    }

    RawTls(const RawTls&) = delete;
    RawTls& operator=(const RawTls&) = delete;

    ~RawTls() {
        SSL_free(tls_);
        SSL_CTX_free(context_);
    }

    // With TLS 1.3 a refused client certificate shows at the first read only.
    [[nodiscard]] bool is_connected() const { return is_connected_; }

    // The whole answer as text, until its end or the connection's; empty: none.
    [[nodiscard]] std::string exchange(std::string_view request) {
        if (!is_connected_) return {};
        std::string answer;
        SSL_write(tls_, request.data(), static_cast<int>(request.size()));
        char bytes[16384];
        for (;;) {
            const int count = SSL_read(tls_, bytes, sizeof bytes);
            if (count <= 0) return answer;
            answer.append(bytes, static_cast<std::size_t>(count));
        }
    }

  private:
    RawHttp tcp_;
    SSL_CTX* context_;
    SSL* tls_ = nullptr;
    bool is_connected_ = false;
};

}  // namespace spangate::testing
