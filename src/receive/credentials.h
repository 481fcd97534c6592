// Who may send, by token: the table of receivers.otlp.auth.bearer_tokens_file, and the headers a
// client may show a token in. Agents' SDKs differ in that, so each of these is the token:
//
//   Authorization: Bearer <token>             OpenTelemetry, OpenLLMetry (Traceloop), Logfire
//   Authorization: Basic <base64 of a:b>      Langfuse (public key : secret key): «a:b» or «b»
//   x-api-key: <token>                        LangSmith; only where there is no Authorization
//
// Tokens are kept and looked up as SHA-256 only: how long a look-up takes tells something about the
// digest of what was sent, and nothing about any token, and no token stays in memory.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "digest/sha256.h"

namespace spangate {

// A tenant becomes part of hashed names and records: the contract's form of an id.
[[nodiscard]] bool is_tenant(std::string_view text);

// Values of the headers; empty: not sent.
struct ShownCredentials {
    std::string_view authorization;
    std::string_view api_key;
};

// Immutable once read; any thread.
class Credentials {
  public:
    // Knows nobody.
    Credentials() = default;

    // Lines «token tenant», blank lines and # comments allowed. The error names every faulty line,
    // never a token.
    [[nodiscard]] static Result<std::shared_ptr<const Credentials>> read(const std::string& path);

    // Fails with unauthenticated; the message says what was looked for.
    [[nodiscard]] Result<std::string> tenant_of(const ShownCredentials& shown) const;

  private:
    [[nodiscard]] const std::string* find(std::string_view token) const;
    [[nodiscard]] Result<std::string> tenant_by_basic(std::string_view encoded) const;

    std::map<Sha256Digest, std::string> tenants_;
};

}  // namespace spangate
