// A blocking HTTP client that sends exactly what a test says, broken or not.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"

namespace spangate::testing {

struct RawResponse {
    int status = 0;  // 0: the connection ended before a whole response
    std::string head;
    std::string body;

    // The value of a field; empty: none.
    [[nodiscard]] std::string field(std::string_view name) const {
        std::size_t at = head.find("\r\n");
        while (at != std::string::npos && at + 2 < head.size()) {
            const std::size_t end = head.find("\r\n", at + 2);
            const std::string_view line = std::string_view(head).substr(
                at + 2, end == std::string::npos ? end : end - at - 2
            );
            const std::size_t colon = line.find(": ");
            if (colon != std::string_view::npos && equals_ignore_case(line.substr(0, colon), name))
                return std::string(line.substr(colon + 2));
            at = end;
        }
        return {};
    }
};

class RawHttp {
  public:
    explicit RawHttp(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        is_connected_ =
            ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    }

    RawHttp(const RawHttp&) = delete;
    RawHttp& operator=(const RawHttp&) = delete;

    ~RawHttp() { close(); }

    [[nodiscard]] bool is_connected() const { return is_connected_; }

    [[nodiscard]] int native() const { return socket_; }

    // False when the server does not take it all.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // The next response, interim ones included; waits up to ten seconds for each piece.
    [[nodiscard]] RawResponse receive(bool has_body = true) {
        RawResponse response;
        std::size_t end = std::string::npos;
        while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
            if (!fill()) return {};
        }
        response.head = buffer_.substr(0, end + 2);
        buffer_.erase(0, end + 4);
        const std::string length = response.field("Content-Length");
        const std::size_t size = has_body && !length.empty() ? std::stoul(length) : 0;
        while (buffer_.size() < size) {
            if (!fill()) return {};
        }
        response.body = buffer_.substr(0, size);
        buffer_.erase(0, size);
        response.status = std::atoi(response.head.c_str() + sizeof "HTTP/1.1");
        return response;
    }

    [[nodiscard]] RawResponse exchange(std::string_view request) {
        send(request);
        return receive();
    }

    // The server closes, having sent nothing more, within `wait`.
    [[nodiscard]] bool is_closed_within(std::chrono::milliseconds wait) {
        return buffer_.empty() && !fill(wait) && is_ended_;
    }

    void close() {
        if (socket_ >= 0) ::close(socket_);
        socket_ = -1;
    }

    // Closes with a reset, as a client that died.
    void reset() {
        const linger at_once{1, 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close();
    }

  private:
    bool fill(std::chrono::milliseconds wait = std::chrono::seconds(10)) {
        pollfd poll{socket_, POLLIN, 0};
        if (::poll(&poll, 1, static_cast<int>(wait.count())) != 1) return false;
        char bytes[16384];
        const ssize_t count = ::recv(socket_, bytes, sizeof bytes, 0);
        is_ended_ = count <= 0;
        if (is_ended_) return false;
        buffer_.append(bytes, static_cast<std::size_t>(count));
        return true;
    }

    int socket_;
    bool is_connected_ = false;
    bool is_ended_ = false;
    std::string buffer_;
};

// POST with a Content-Length; `fields` end with CRLF each.
[[nodiscard]] inline std::string post(
    std::string_view path, std::string_view body, std::string_view fields = {}
) {
    std::string request = "POST ";
    request += path;
    request += " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    request += fields;
    request += "\r\n";
    request += body;
    return request;
}

[[nodiscard]] inline std::string get(std::string_view path, std::string_view method = "GET") {
    std::string request(method);
    request += ' ';
    request += path;
    request += " HTTP/1.1\r\nHost: test\r\n\r\n";
    return request;
}

}  // namespace spangate::testing
