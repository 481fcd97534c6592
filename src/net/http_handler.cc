#include "net/http_handler.h"

#include <utility>

#include "net/mailbox.h"

namespace spangate {

ReplyHandle::ReplyHandle(
    std::shared_ptr<Mailbox> mailbox,
    std::weak_ptr<HttpConnection> connection,
    std::uint64_t request_no
)
    : mailbox_(std::move(mailbox)),
      connection_(std::move(connection)),
      request_no_(request_no) {}

ReplyHandle& ReplyHandle::operator=(ReplyHandle&& other) noexcept {
    if (this != &other) {
        drop();
        mailbox_ = std::move(other.mailbox_);
        connection_ = std::move(other.connection_);
        request_no_ = other.request_no_;
    }
    return *this;
}

ReplyHandle::~ReplyHandle() {
    drop();
}

void ReplyHandle::send(HttpResponse&& response) {
    const std::shared_ptr<Mailbox> mailbox = std::exchange(mailbox_, nullptr);
    if (mailbox != nullptr)
        mailbox->post({std::move(connection_), request_no_, std::move(response)});
}

void ReplyHandle::drop() {
    if (mailbox_ != nullptr) send(closing_response(503, "the request was dropped; try again"));
}

}  // namespace spangate
