// Transports over Boost.Asio sockets, plain and TLS. Private to http_server.cc: no other file may
// pay for these headers.
#pragma once

#include <array>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include "net/http_connection.h"
#include "net/tls_context.h"
#include "observe/log.h"

namespace spangate {

namespace asio = boost::asio;
using AsioError = boost::system::error_code;
using Tcp = asio::ip::tcp;

// A connection that throws is closed; the others of its thread live on.
template <typename Call>
void guarded(HttpConnection& connection, Call&& call) {
    try {
        call();
    } catch (const std::exception& error) {
        static LogLimit limit;
        if (limit.allows()) log_error("net", "connection closed, it threw: {}", error.what());
        connection.on_exception();
    }
}

template <typename Stream>
class AsioTransport : public Transport {
  public:
    void start_read(HttpConnection& owner, char* at, std::size_t bytes) final {
        stream_.async_read_some(asio::buffer(at, bytes), read_handler(owner));
    }

    void start_write(HttpConnection& owner, std::string_view head, std::string_view body) final {
        const std::array<asio::const_buffer, 2> pieces = {
            asio::buffer(head.data(), head.size()), asio::buffer(body.data(), body.size())};
        asio::async_write(
            stream_,
            pieces,
            [self = owner.shared_from_this()](AsioError error, std::size_t /*bytes*/) {
                guarded(*self, [&] { self->on_written(!error); });
            }
        );
    }

    void start_discard(HttpConnection& owner, char* at, std::size_t bytes) final {
        socket().async_read_some(asio::buffer(at, bytes), read_handler(owner));
    }

    void cancel() final {
        AsioError ignored;
        socket().cancel(ignored);
    }

    void close() final {
        AsioError ignored;
        socket().close(ignored);
    }

  protected:
    template <typename... Args>
    explicit AsioTransport(Args&&... args) : stream_(std::forward<Args>(args)...) {}

    [[nodiscard]] Tcp::socket& socket() {
        if constexpr (std::is_same_v<Stream, Tcp::socket>) {
            return stream_;
        } else {
            return stream_.next_layer();
        }
    }

    void end_sending(HttpConnection& owner) {
        AsioError ignored;
        socket().shutdown(Tcp::socket::shutdown_send, ignored);
        guarded(owner, [&owner] { owner.on_shut_down(); });
    }

    Stream stream_;

  private:
    [[nodiscard]] static auto read_handler(HttpConnection& owner) {
        return [self = owner.shared_from_this()](AsioError error, std::size_t bytes) {
            guarded(*self, [&] { self->on_read(error ? 0 : bytes); });
        };
    }
};

class PlainTransport final : public AsioTransport<Tcp::socket> {
  public:
    explicit PlainTransport(Tcp::socket&& socket) : AsioTransport(std::move(socket)) {}

    void start_handshake(HttpConnection& owner) override {
        asio::post(stream_.get_executor(), [self = owner.shared_from_this()] {
            guarded(*self, [&] { self->on_handshake(true); });
        });
    }

    void start_shutdown(HttpConnection& owner) override {
        asio::post(stream_.get_executor(), [this, self = owner.shared_from_this()] {
            end_sending(*self);
        });
    }

    [[nodiscard]] std::string peer_name() const override { return {}; }
};

class TlsTransport final : public AsioTransport<asio::ssl::stream<Tcp::socket>> {
  public:
    TlsTransport(Tcp::socket&& socket, std::shared_ptr<asio::ssl::context> context)
        : AsioTransport(std::move(socket), *context),
          context_(std::move(context)) {}

    void start_handshake(HttpConnection& owner) override {
        stream_.async_handshake(
            asio::ssl::stream_base::server,
            [self = owner.shared_from_this()](AsioError error) {
                guarded(*self, [&] { self->on_handshake(!error); });
            }
        );
    }

    void start_shutdown(HttpConnection& owner) override {
        stream_.async_shutdown([this, self = owner.shared_from_this()](AsioError /*error*/) {
            end_sending(*self);
        });
    }

    [[nodiscard]] std::string peer_name() const override {
        return peer_common_name(const_cast<TlsTransport*>(this)->stream_.native_handle());
    }

  private:
    std::shared_ptr<asio::ssl::context> context_;  // outlives the stream's handshake
};

}  // namespace spangate
