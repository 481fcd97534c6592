#include "net/http_client.h"

#include <atomic>
#include <charconv>
#include <utility>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/span_body.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

namespace spangate {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using AsioError = boost::system::error_code;
using Tcp = asio::ip::tcp;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
using PostRequest = http::request<http::span_body<const char>>;
using ReplyParser = http::response_parser<http::string_body>;

bool is_address(const std::string& host) {
    AsioError error;
    static_cast<void>(asio::ip::make_address(host, error));
    return !error;
}

// As RFC 9110 writes it: without the port that the scheme implies, IPv6 in brackets.
std::string host_field(const Url& server) {
    const std::string host =
        server.host.find(':') == std::string::npos ? server.host : "[" + server.host + "]";
    const bool is_implied = server.port == (server.is_tls ? 443 : 80);
    return is_implied ? host : fmt::format("{}:{}", host, server.port);
}

std::optional<std::chrono::seconds> seconds_of(beast::string_view field) {
    std::uint32_t seconds = 0;
    const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), seconds);
    if (field.empty() || error != std::errc() || end != field.data() + field.size())
        return std::nullopt;
    return std::chrono::seconds(seconds);
}

}  // namespace

// Every step starts one asynchronous operation and runs the loop until it is done, so that each has
// its deadline and cancel() reaches it. The stream is made anew with every connection.
class HttpClient::Impl {
  public:
    Impl(const Url& server, std::optional<asio::ssl::context> tls)
        : server_(server),
          tls_(std::move(tls)) {}

    Result<HttpClientReply> post(PostRequest& request, SteadyTime deadline) {
        deadline_ = deadline;
        request.set(http::field::host, host_field(server_));
        request.target(server_.path + std::string(request.target()));
        const bool is_reused = is_open_;
        Result<HttpClientReply> reply = exchange(request);
        // The server may have closed a kept connection just now; that is nobody's failure.
        if (!reply && is_reused && !is_cancelled_ && std::chrono::steady_clock::now() < deadline) {
            reply = exchange(request);
        }
        return reply;
    }

    void cancel() {
        is_cancelled_ = true;
        asio::post(loop_, [this] { close(); });
    }

  private:
    Result<HttpClientReply> exchange(PostRequest& request) {
        if (!is_open_) {
            if (Status connected = connect(); !connected) {
                close();
                return tl::unexpected(std::move(connected.error()));
            }
        }
        ReplyParser parser;
        parser.body_limit(reply_body_bytes_max);
        buffer_.clear();
        AsioError error = with_stream([&](auto& stream) {
            return run([&](auto done) { http::async_write(stream, request, std::move(done)); });
        });
        if (!error) {
            error = with_stream([&](auto& stream) {
                return run([&](auto done) {
                    http::async_read(stream, buffer_, parser, std::move(done));
                });
            });
        }
        const bool is_overlong = error == http::error::body_limit;
        if (error || !parser.keep_alive()) close();
        if (error && !(is_overlong && parser.is_header_done()))
            return away("is not answering", error);
        HttpClientReply reply;
        reply.status = static_cast<std::uint16_t>(parser.get().result_int());
        reply.retry_after = seconds_of(parser.get()[http::field::retry_after]);
        return reply;
    }

    Status connect() {
        Tcp::resolver resolver(loop_);
        Tcp::resolver::results_type places;
        AsioError error = run([&](auto done) {
            resolver.async_resolve(
                server_.host,
                std::to_string(server_.port),
                [&places, done](AsioError failed, Tcp::resolver::results_type found) {
                    places = std::move(found);
                    done(failed, 0);
                }
            );
        });
        if (error) return away("has no address", error);
        make_stream();
        error = run([&](auto done) { lowest().async_connect(places, std::move(done)); });
        if (error) return away("cannot be reached", error);
        is_open_ = true;
        AsioError ignored;
        lowest().socket().set_option(Tcp::no_delay(true), ignored);
        if (!secure_) return {};
        error = run([&](auto done) {
            secure_->async_handshake(asio::ssl::stream_base::client, [done](AsioError failed) {
                done(failed, 0);
            });
        });
        if (error) return away("did not complete the TLS handshake", error);
        return {};
    }

    void make_stream() {
        if (!tls_) {
            plain_.emplace(loop_);
            return;
        }
        secure_.emplace(loop_, *tls_);
        secure_->set_verify_callback(asio::ssl::host_name_verification(server_.host));
        if (!is_address(server_.host)) {
            // What SSL_set_tlsext_host_name, a macro with casts, stands for.
            SSL_ctrl(
                secure_->native_handle(),
                SSL_CTRL_SET_TLSEXT_HOSTNAME,
                TLSEXT_NAMETYPE_host_name,
                const_cast<char*>(server_.host.c_str())
            );
        }
    }

    // Runs the loop until the operation that `start` begins has called `done`.
    template <typename Start>
    AsioError run(Start&& start) {
        if (is_cancelled_) return asio::error::operation_aborted;
        AsioError result = asio::error::operation_aborted;
        if (plain_ || secure_) lowest().expires_at(deadline_);
        start([&result](AsioError error, auto&&... /*what it brought*/) { result = error; });
        loop_.restart();
        loop_.run();
        return result;
    }

    template <typename Use>
    AsioError with_stream(Use&& use) {
        return secure_ ? use(*secure_) : use(*plain_);
    }

    [[nodiscard]] beast::tcp_stream& lowest() {
        return secure_ ? beast::get_lowest_layer(*secure_) : *plain_;
    }

    // Without a TLS goodbye: each reply was complete or is told as a failure.
    void close() {
        if (plain_ || secure_) lowest().close();
        is_open_ = false;
    }

    [[nodiscard]] tl::unexpected<Error> away(std::string_view what, const AsioError& error) const {
        return fail(
            ErrorCode::unavailable,
            fmt::format("{}:{} {}: {}", server_.host, server_.port, what, error.message())
        );
    }

    const Url server_;
    asio::io_context loop_{1};
    std::optional<asio::ssl::context> tls_;
    std::optional<beast::tcp_stream> plain_;  // the one or the other; none before the first connect
    std::optional<TlsStream> secure_;
    beast::flat_buffer buffer_;
    SteadyTime deadline_{};
    bool is_open_ = false;
    std::atomic<bool> is_cancelled_{false};
};

Result<std::unique_ptr<HttpClient>> HttpClient::open(
    const Url& server, const std::string& ca_file
) {
    std::optional<asio::ssl::context> tls;
    if (server.is_tls) {
        tls.emplace(asio::ssl::context::tls_client);
        AsioError error;
        if (ca_file.empty()) {
            tls->set_default_verify_paths(error);
        } else {
            tls->load_verify_file(ca_file, error);
        }
        if (error) return fail(ErrorCode::io, "cannot load the CAs: " + error.message());
        tls->set_verify_mode(asio::ssl::verify_peer);
        SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
    }
    return std::unique_ptr<HttpClient>(new HttpClient(std::make_unique<Impl>(server, std::move(tls))
    ));
}

HttpClient::HttpClient(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpClient::~HttpClient() = default;

Result<HttpClientReply> HttpClient::post(
    std::string_view path, std::string_view content_type, std::string_view body, SteadyTime deadline
) {
    PostRequest request(http::verb::post, {path.data(), path.size()}, 11);
    request.set(http::field::content_type, {content_type.data(), content_type.size()});
    request.set(http::field::user_agent, "spangate/" SPANGATE_VERSION);
    request.body() = {body.data(), body.size()};
    request.prepare_payload();
    return impl_->post(request, deadline);
}

void HttpClient::cancel() {
    impl_->cancel();
}

}  // namespace spangate
