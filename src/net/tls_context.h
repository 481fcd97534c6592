// Certificate, key and client CA as one OpenSSL context, from files. TLS 1.2 and 1.3, ALPN
// «http/1.1». Immutable once loaded: a reload makes a new one, and connections keep theirs.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "config/config.h"

struct ssl_ctx_st;
struct ssl_st;

namespace spangate {

class TlsContext {
  public:
    // With client_ca_file, clients without a certificate of that CA fail in the handshake.
    // Errors name the file and what is wrong with it.
    [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> load(
        const TlsServerConfig& config
    );

    explicit TlsContext(ssl_ctx_st* context) : context_(context) {}  // takes ownership

    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    // Owned by this; whoever keeps it longer adds a reference of OpenSSL's.
    [[nodiscard]] ssl_ctx_st* native() const { return context_; }

  private:
    ssl_ctx_st* context_;
};

// CN of the certificate the client showed and the handshake verified; empty: none.
[[nodiscard]] std::string peer_common_name(const ssl_st* connection);

}  // namespace spangate
