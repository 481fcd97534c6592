#include "net/http_server.h"

#include <algorithm>
#include <atomic>
#include <future>
#include <optional>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <openssl/ssl.h>

#include "net/asio_transport.h"
#include "net/connection_ledger.h"
#include "net/endpoint.h"
#include "net/http_connection.h"
#include "net/mailbox.h"
#include "net/tls_context.h"
#include "observe/log.h"

namespace spangate {
namespace {

constexpr Millis accept_pause{50};     // after a failed accept: descriptors need time to come back
constexpr Millis cut_off_wait{1'000};  // for connections to close once they are told to
constexpr Millis tick_interval_min{10};  // deadlines are checked this often …
constexpr Millis tick_interval_max{500};

// … or four times within the shortest of them.
Millis tick_interval(const HttpLimits& limits) {
    const Millis shortest = std::min(
        {limits.header_timeout,
         limits.body_timeout,
         limits.idle_timeout,
         limits.reply_timeout,
         limits.write_timeout,
         limits.linger_timeout,
         limits.body_progress_window}
    );
    return std::clamp(shortest / 4, tick_interval_min, tick_interval_max);
}

// One thread and its connections; what is not said to be for any thread runs on it.
class Worker final : public ConnectionHost {
  public:
    Worker(
        const HttpSetting& setting, ConnectionLedger& ledger, const std::atomic<bool>& is_closing
    )
        : ConnectionHost(setting),
          ledger_(ledger),
          is_closing_(is_closing),
          work_(asio::make_work_guard(io_)),
          ticks_(io_),
          mailbox_(std::make_shared<Mailbox>([this] { asio::post(io_, [this] { deliver_mail(); }); }
          )) {}

    // The thread has ended, or never began.
    ~Worker() override { mailbox_->close(); }

    void start(const std::string& thread_name) {
        thread_ = std::thread([this] { io_.run(); });
        pthread_setname_np(thread_.native_handle(), thread_name.substr(0, 15).c_str());
    }

    // Any thread but this one. Ends the thread, whatever is under way.
    void stop() {
        mailbox_->close();
        work_.reset();
        io_.stop();
        if (thread_.joinable()) thread_.join();
        connections_.clear();
    }

    // Any thread.
    void adopt(std::shared_ptr<HttpConnection> connection) {
        asio::post(io_, [this, connection = std::move(connection)] {
            connections_.emplace(connection.get(), connection);
            guarded(*connection, [&] { connection->start(); });
            if (!are_ticks_armed_) arm_ticks();
        });
    }

    // Any thread.
    void for_each(void (HttpConnection::*call)()) {
        asio::post(io_, [this, call] {
            for (const auto& connection : snapshot())
                guarded(*connection, [&] { (connection.get()->*call)(); });
        });
    }

    void forget(HttpConnection& connection) override {
        ledger_.leave(connection.peer_address());
        connections_.erase(&connection);
    }

    [[nodiscard]] bool is_closing() const override {
        return is_closing_.load(std::memory_order_relaxed);
    }

    [[nodiscard]] std::shared_ptr<Mailbox> mailbox() const override { return mailbox_; }

    [[nodiscard]] asio::io_context& io() { return io_; }

  private:
    void deliver_mail() {
        for (Mailbox::Letter& letter : mailbox_->take()) {
            if (const auto connection = letter.to.lock()) {
                guarded(*connection, [&] {
                    connection->on_reply(letter.request_no, std::move(letter.response));
                });
            }
        }
    }

    // One timer for all: a request sets deadlines and starts no timers.
    void arm_ticks() {
        are_ticks_armed_ = true;
        ticks_.expires_after(tick_interval(limits));
        ticks_.async_wait([this](AsioError error) {
            if (error) return;
            const SteadyTime now = clock.steady();
            for (const auto& connection : snapshot())
                guarded(*connection, [&] { connection->on_tick(now); });
            are_ticks_armed_ = false;
            if (!connections_.empty()) arm_ticks();
        });
    }

    // Calls may close connections, and so change the map.
    [[nodiscard]] std::vector<std::shared_ptr<HttpConnection>> snapshot() const {
        std::vector<std::shared_ptr<HttpConnection>> connections;
        connections.reserve(connections_.size());
        for (const auto& [key, connection] : connections_)
            connections.push_back(connection);
        return connections;
    }

    ConnectionLedger& ledger_;
    const std::atomic<bool>& is_closing_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    asio::steady_timer ticks_;
    bool are_ticks_armed_ = false;
    std::shared_ptr<Mailbox> mailbox_;
    std::unordered_map<HttpConnection*, std::shared_ptr<HttpConnection>> connections_;
    std::thread thread_;
};

std::shared_ptr<asio::ssl::context> asio_context(const TlsContext& tls) {
    SSL_CTX_up_ref(tls.native());  // Asio takes one reference over
    return std::make_shared<asio::ssl::context>(tls.native());
}

std::string address_of(const Tcp::endpoint& peer) {
    const asio::ip::address address = peer.address();
    if (address.is_v6() && address.to_v6().is_v4_mapped())
        return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
    return address.to_string();
}

}  // namespace

class HttpServer::Impl {
  public:
    Impl(HttpServerOptions options, HttpHandler& handler, const Clock& clock, Metrics& metrics)
        : options_(std::move(options)),
          counters_(metrics, options_.name),
          ledger_(options_.limits, counters_) {
        for (std::uint32_t i = 0; i < std::max(options_.threads, 1U); ++i) {
            workers_.push_back(std::make_unique<Worker>(
                HttpSetting{handler, options_.limits, counters_, clock}, ledger_, is_closing_
            ));
        }
        acceptor_.emplace(workers_.front()->io());
        accept_timer_.emplace(workers_.front()->io());
    }

    ~Impl() {
        close_intake();
        drain(std::chrono::steady_clock::now());
    }

    [[nodiscard]] Status listen() {
        const Result<Endpoint> endpoint = parse_endpoint(options_.endpoint);
        if (!endpoint) return tl::unexpected(endpoint.error());
        if (!options_.tls.cert_file.empty()) {
            if (Status loaded = load_tls(options_.tls); !loaded) return loaded;
        }
        AsioError error;
        Tcp::resolver resolver(workers_.front()->io());
        const auto found = resolver.resolve(
            endpoint->host.empty() ? "::" : endpoint->host,
            std::to_string(endpoint->port),
            Tcp::resolver::passive | Tcp::resolver::numeric_service,
            error
        );
        if (!error) {
            // «localhost» has two addresses, and clients mean the older one.
            const auto v4 = std::find_if(found.begin(), found.end(), [](const auto& entry) {
                return entry.endpoint().address().is_v4();
            });
            bind_to((v4 != found.end() ? v4 : found.begin())->endpoint(), error);
        }
        // A machine without IPv6 still has all its IPv4 addresses.
        if (error && endpoint->host.empty())
            bind_to({asio::ip::address_v4::any(), endpoint->port}, error);
        if (!error) return {};
        return fail(
            ErrorCode::unavailable,
            fmt::format("cannot listen on {}: {}", options_.endpoint, error.message())
        );
    }

    void start() {
        is_started_ = true;
        for (std::size_t i = 0; i < workers_.size(); ++i)
            workers_[i]->start(fmt::format("http-{}", i));
        asio::post(workers_.front()->io(), [this] { accept_next(); });
        log_info(
            "net",
            "listening name={} endpoint={} port={} tls={}",
            options_.name,
            options_.endpoint,
            port(),
            tls_.load() != nullptr
        );
    }

    [[nodiscard]] std::uint16_t port() const { return port_; }

    [[nodiscard]] Status load_tls(const TlsServerConfig& config) {
        const auto loaded = TlsContext::load(config);
        if (!loaded) return tl::unexpected(loaded.error());
        tls_.store(asio_context(**loaded));
        return {};
    }

    void close_intake() {
        if (is_closing_.exchange(true) || !is_started_) return;
        std::promise<void> closed;
        asio::post(workers_.front()->io(), [this, &closed] {
            AsioError ignored;
            acceptor_->close(ignored);
            accept_timer_->cancel();
            closed.set_value();
        });
        closed.get_future().wait();
        for (const auto& worker : workers_)
            worker->for_each(&HttpConnection::on_closing);
    }

    bool drain(SteadyTime deadline) {
        if (std::exchange(is_drained_, true)) return true;
        const bool is_empty = ledger_.wait_empty(deadline);
        if (!is_empty && is_started_) {
            for (const auto& worker : workers_)
                worker->for_each(&HttpConnection::close);
            static_cast<void>(ledger_.wait_empty(std::chrono::steady_clock::now() + cut_off_wait));
        }
        for (const auto& worker : workers_)
            worker->stop();
        return is_empty;
    }

  private:
    void bind_to(const Tcp::endpoint& at, AsioError& error) {
        AsioError ignored;
        acceptor_->close(ignored);
        acceptor_->open(at.protocol(), error);
        if (error) return;
        acceptor_->set_option(asio::socket_base::reuse_address(true), error);
        if (at.address().is_v6() && at.address().is_unspecified())
            acceptor_->set_option(asio::ip::v6_only(false), ignored);
        acceptor_->bind(at, error);
        if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
        if (!error) port_ = acceptor_->local_endpoint(error).port();
    }

    void accept_next() {
        if (is_closing_.load(std::memory_order_relaxed)) return;
        Worker& worker = *workers_[next_worker_++ % workers_.size()];
        acceptor_->async_accept(worker.io(), [this, &worker](AsioError error, Tcp::socket socket) {
            if (is_closing_.load(std::memory_order_relaxed)) return;
            if (error) return pause_accepting(error);
            accepted(worker, std::move(socket));
            accept_next();
        });
    }

    // Out of descriptors, mostly. Trying again at once would spin; giving up would never serve
    // again.
    void pause_accepting(AsioError error) {
        counters_.count(HttpTrouble::accept_failed);
        static LogLimit limit;
        if (limit.allows())
            log_warn("net", "cannot accept name={} reason={}", options_.name, error.message());
        accept_timer_->expires_after(accept_pause);
        accept_timer_->async_wait([this](AsioError stopped) {
            if (!stopped) accept_next();
        });
    }

    void accepted(Worker& worker, Tcp::socket&& socket) {
        AsioError error;
        const Tcp::endpoint peer = socket.remote_endpoint(error);
        if (error) return;  // gone already
        std::string address = address_of(peer);
        if (!ledger_.enter(address)) return;
        socket.set_option(Tcp::no_delay(true), error);
        try {
            std::unique_ptr<Transport> transport;
            if (auto tls = tls_.load()) {
                transport = std::make_unique<TlsTransport>(std::move(socket), std::move(tls));
            } else {
                transport = std::make_unique<PlainTransport>(std::move(socket));
            }
            worker.adopt(
                std::make_shared<HttpConnection>(worker, std::move(transport), address, peer.port())
            );
        } catch (const std::exception& thrown) {
            counters_.count(HttpTrouble::exception);
            log_error("net", "cannot take a connection: {}", thrown.what());
            ledger_.leave(address);
        }
    }

    const HttpServerOptions options_;
    HttpCounters counters_;
    ConnectionLedger ledger_;
    std::atomic<bool> is_closing_{false};
    std::atomic<std::shared_ptr<asio::ssl::context>> tls_;  // null: plain
    std::vector<std::unique_ptr<Worker>> workers_;
    std::optional<Tcp::acceptor> acceptor_;  // on the first worker, like all accepting
    std::optional<asio::steady_timer> accept_timer_;
    std::size_t next_worker_ = 0;
    std::uint16_t port_ = 0;
    bool is_started_ = false;
    bool is_drained_ = false;
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(
    HttpServerOptions options, HttpHandler& handler, const Clock& clock, Metrics& metrics
) {
    auto impl = std::make_unique<Impl>(std::move(options), handler, clock, metrics);
    if (Status listening = impl->listen(); !listening)
        return tl::unexpected(std::move(listening).error());
    return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() = default;

void HttpServer::start() {
    impl_->start();
}

std::uint16_t HttpServer::port() const {
    return impl_->port();
}

Status HttpServer::reload_tls(const TlsServerConfig& config) {
    return impl_->load_tls(config);
}

void HttpServer::close_intake() {
    impl_->close_intake();
}

bool HttpServer::drain(SteadyTime deadline) {
    return impl_->drain(deadline);
}

}  // namespace spangate
