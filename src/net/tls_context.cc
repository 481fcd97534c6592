#include "net/tls_context.h"

#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace spangate {
namespace {

tl::unexpected<Error> fault(std::string_view what, const std::string& file) {
    std::array<char, 256> reason{};
    ERR_error_string_n(ERR_peek_last_error(), reason.data(), reason.size());
    ERR_clear_error();
    return fail(
        ErrorCode::invalid_argument, fmt::format("tls: {} {}: {}", what, file, reason.data())
    );
}

int choose_protocol(
    SSL* /*connection*/,
    const unsigned char** chosen,
    unsigned char* chosen_size,
    const unsigned char* offered,
    unsigned int offered_size,
    void* /*argument*/
) {
    static constexpr std::array<unsigned char, 9> spoken = {
        8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
    unsigned char* found = nullptr;
    const int result = SSL_select_next_proto(
        &found, chosen_size, spoken.data(), spoken.size(), offered, offered_size
    );
    if (result != OPENSSL_NPN_NEGOTIATED) return SSL_TLSEXT_ERR_NOACK;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::~TlsContext() {
    SSL_CTX_free(context_);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsServerConfig& config) {
    ERR_clear_error();
    SSL_CTX* const native = SSL_CTX_new(TLS_server_method());
    if (native == nullptr) return fault("no memory for", "the context");
    auto context = std::make_shared<const TlsContext>(native);
    SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
    SSL_CTX_set_options(native, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_alpn_select_cb(native, &choose_protocol, nullptr);
    if (SSL_CTX_use_certificate_chain_file(native, config.cert_file.c_str()) != 1)
        return fault("cannot use the certificate chain of", config.cert_file);
    if (SSL_CTX_use_PrivateKey_file(native, config.key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        return fault("cannot use the key of", config.key_file);
    if (SSL_CTX_check_private_key(native) != 1)
        return fault("the key does not belong to the certificate:", config.key_file);
    if (config.client_ca_file.empty()) return context;
    if (SSL_CTX_load_verify_locations(native, config.client_ca_file.c_str(), nullptr) != 1)
        return fault("cannot use the client CA of", config.client_ca_file);
    SSL_CTX_set_client_CA_list(native, SSL_load_client_CA_file(config.client_ca_file.c_str()));
    SSL_CTX_set_verify(native, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // Sessions are resumed with the verified name in the ticket; the id keeps servers apart.
    static constexpr std::array<unsigned char, 8> session_id = {
        's', 'p', 'a', 'n', 'g', 'a', 't', 'e'};
    SSL_CTX_set_session_id_context(native, session_id.data(), session_id.size());
    return context;
}

std::string peer_common_name(const ssl_st* connection) {
    if (SSL_get_verify_result(connection) != X509_V_OK) return {};
    X509* const certificate = SSL_get1_peer_certificate(connection);
    if (certificate == nullptr) return {};
    std::string name;
    X509_NAME* const subject = X509_get_subject_name(certificate);
    const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at >= 0) {
        unsigned char* text = nullptr;
        const int size =
            ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        for (int i = 0; i < size; ++i)
            name.push_back(static_cast<char>(text[i]));
        OPENSSL_free(text);
    }
    X509_free(certificate);
    // A NUL inside would let two readers see two names.
    return name.find('\0') == std::string::npos ? name : std::string();
}

}  // namespace spangate
