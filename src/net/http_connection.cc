#include "net/http_connection.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/check.h"

namespace spangate {
namespace {

constexpr std::size_t input_bytes_min = 8 * kib;     // an idle connection's buffer
constexpr std::size_t bulk_read_bytes = 64 * kib;    // chunked bodies, and bytes to be forgotten
constexpr std::size_t whole_body_bytes = 256 * kib;  // reserved at once when announced
constexpr std::string_view interim_response = "HTTP/1.1 100 Continue\r\n\r\n";

HttpTrouble trouble_of(BodyFault fault) {
    switch (fault) {
        case BodyFault::too_large:
            return HttpTrouble::body_too_large;
        case BodyFault::no_memory:
            return HttpTrouble::body_no_memory;
        case BodyFault::malformed:
            return HttpTrouble::body_malformed;
        case BodyFault::timed_out:
            return HttpTrouble::body_timeout;
    }
    return HttpTrouble::body_malformed;
}

}  // namespace

HttpConnection::HttpConnection(
    ConnectionHost& host,
    std::unique_ptr<Transport> transport,
    std::string peer_address,
    std::uint16_t peer_port
)
    : host_(host),
      transport_(std::move(transport)),
      peer_address_(std::move(peer_address)),
      peer_port_(peer_port) {}

HttpConnection::~HttpConnection() = default;

void HttpConnection::start() {
    enter(Phase::handshake, host_.limits.header_timeout);
    transport_->start_handshake(*this);
}

void HttpConnection::on_handshake(bool is_ok) {
    if (phase_ == Phase::closed) return;
    if (!is_ok) {
        host_.counters.count(HttpTrouble::handshake_failed);
        return close();
    }
    peer_name_ = transport_->peer_name();
    begin_request();
}

void HttpConnection::enter(Phase phase, Millis timeout) {
    phase_ = phase;
    deadline_ = host_.clock.steady() + timeout;
}

void HttpConnection::begin_request() {
    exchange_.reset();
    body_ = Body();
    body_bytes_left_ = 0;
    are_chunks_open_ = false;
    awaits_continue_ = false;
    scanned_ = 0;
    if (host_.is_closing() && input().empty()) return close();
    if (input().empty() && input_.size() > input_bytes_min) {
        input_ = {};  // idle connections hold little
        input_begin_ = input_end_ = 0;
    }
    const HttpLimits& limits = host_.limits;
    enter(Phase::idle, is_first_request_ ? limits.header_timeout : limits.idle_timeout);
    is_first_request_ = false;
    take_head();
}

void HttpConnection::read_input() {
    if (input_begin_ == input_end_) input_begin_ = input_end_ = 0;
    if (input_begin_ > 0 && input_.size() - input_end_ < input_bytes_min / 2) {
        std::memmove(input_.data(), input_.data() + input_begin_, input_end_ - input_begin_);
        input_end_ -= input_begin_;
        input_begin_ = 0;
    }
    const std::size_t wanted = are_chunks_open_ || phase_ >= Phase::discarding
                                   ? bulk_read_bytes
                                   : std::max(input_bytes_min, input_end_ * 2);
    if (input_.size() < wanted) input_.resize(wanted);
    char* const at = input_.data() + input_end_;
    const std::size_t room = input_.size() - input_end_;
    SPANGATE_DCHECK(room > 0);
    if (phase_ == Phase::lingering) {
        transport_->start_discard(*this, at, room);
    } else {
        transport_->start_read(*this, at, room);
    }
}

void HttpConnection::on_read(std::size_t bytes) {
    if (phase_ == Phase::closed) return;
    if (has_timed_out_) return answer_timeout();
    if (bytes == 0) {
        if (phase_ == Phase::head || phase_ == Phase::body)
            host_.counters.count(HttpTrouble::client_gone);
        return close();
    }
    if (phase_ == Phase::body && !head_.is_chunked) {
        body_.set_size(body_.size() + bytes);
        body_bytes_left_ -= bytes;
        progress_bytes_ += bytes;
        return continue_body();
    }
    input_end_ += bytes;
    switch (phase_) {
        case Phase::body:
            progress_bytes_ += bytes;
            return continue_body();
        case Phase::discarding:
            return continue_discarding();
        case Phase::lingering:
            lingered_bytes_ += bytes;
            input_begin_ = input_end_;
            if (lingered_bytes_ > host_.limits.linger_bytes_max) return close();
            return read_input();
        default:
            return take_head();
    }
}

void HttpConnection::take_head() {
    // An empty line before the request line is to be ignored (RFC 9112 §2.2).
    while (scanned_ == 0 && input().starts_with("\r\n"))
        input_begin_ += 2;
    if (input().empty() || input() == "\r") return read_input();
    if (phase_ == Phase::idle) enter(Phase::head, host_.limits.header_timeout);
    const HeadScan scan = scan_head(input(), scanned_);
    if (scan.state == HeadState::malformed)
        return fail_head(HttpTrouble::head_malformed, {400, "the request's head is malformed"});
    const std::size_t seen = scan.state == HeadState::complete ? scan.bytes : input().size();
    if (seen > host_.limits.header_bytes_max)
        return fail_head(HttpTrouble::head_too_large, {431, "the request's head is too large"});
    scanned_ = seen;
    if (scan.state == HeadState::incomplete) return read_input();
    // The views of head_ must outlive what the input buffer holds now.
    head_text_.assign(input().substr(0, scan.bytes));
    input_begin_ += scan.bytes;
    if (const auto fault = parser_.parse_head(head_text_, host_.limits.header_fields_max, head_))
        return fail_head(
            fault->status == 431 ? HttpTrouble::head_too_large : HttpTrouble::head_malformed, *fault
        );
    decide();
}

void HttpConnection::fail_head(HttpTrouble trouble, HttpFault fault) {
    host_.counters.count(trouble);
    head_ = {};  // what was understood of it may be wrong
    respond(closing_response(fault.status, fault.message));
}

void HttpConnection::decide() {
    host_.counters.requests().add();
    head_.peer_address = peer_address_;
    head_.peer_port = peer_port_;
    head_.peer_name = peer_name_;
    are_chunks_open_ = head_.is_chunked;
    body_bytes_left_ = head_.content_length.value_or(0);
    awaits_continue_ = head_.expects_continue && is_body_unread() && input().empty();
    HeadDecision decision = host_.handler.on_head(head_);
    if (decision.exchange == nullptr) return respond(std::move(decision.response));
    exchange_ = std::move(decision.exchange);
    body_bytes_max_ = decision.body_bytes_max;
    if (body_bytes_left_ > body_bytes_max_) return fail_body(BodyFault::too_large);
    enter(Phase::body, host_.limits.body_timeout);
    progress_since_ = host_.clock.steady();
    progress_bytes_ = 0;
    if (!std::exchange(awaits_continue_, false)) return continue_body();
    is_interim_ = true;
    transport_->start_write(*this, interim_response, {});
}

bool HttpConnection::is_body_unread() const {
    return are_chunks_open_ || body_bytes_left_ > 0;
}

void HttpConnection::continue_body() {
    if (head_.is_chunked) return continue_chunked_body();
    continue_plain_body();
}

// Straight into the body: what was read together with the head is copied, the rest never is.
void HttpConnection::continue_plain_body() {
    if (body_bytes_left_ > 0 && !input().empty()) {
        const std::size_t bytes = std::min<std::size_t>(input().size(), body_bytes_left_);
        if (!take(input().substr(0, bytes))) return fail_body(sink_fault_);
        input_begin_ += bytes;
        body_bytes_left_ -= bytes;
    }
    if (body_bytes_left_ == 0) return complete();
    const std::size_t least = std::min<std::size_t>(body_bytes_left_, bulk_read_bytes);
    if (body_.capacity() == body_.size() && !make_room(body_.size() + least))
        return fail_body(sink_fault_);
    const std::size_t room = body_.capacity() - body_.size();
    transport_->start_read(
        *this, body_.data() + body_.size(), std::min<std::size_t>(room, body_bytes_left_)
    );
}

void HttpConnection::continue_chunked_body() {
    if (input().empty()) return read_input();
    const HttpParser::ChunkProgress progress = parser_.parse_chunks(input(), *this);
    input_begin_ += progress.bytes_used;
    if (progress.is_stopped) return fail_body(sink_fault_);
    // A chunk's line or trailer that fills the whole buffer is nothing honest.
    if (progress.is_malformed || input().size() > host_.limits.header_bytes_max)
        return fail_body(BodyFault::malformed);
    if (!progress.is_done) return read_input();
    are_chunks_open_ = false;
    complete();
}

bool HttpConnection::take(std::string_view bytes) {
    if (!make_room(body_.size() + bytes.size())) return false;
    body_.append(bytes);
    return true;
}

// Grows in doublings, so that a request holds memory for what came, not for what it announced.
bool HttpConnection::make_room(std::size_t bytes) {
    if (bytes <= body_.capacity()) return true;
    if (bytes > body_bytes_max_) {
        sink_fault_ = BodyFault::too_large;
        return false;
    }
    const Bytes announced = head_.content_length.value_or(body_bytes_max_);
    std::size_t target = std::max({bytes, body_.capacity() * 2, bulk_read_bytes});
    if (head_.content_length && announced <= whole_body_bytes) target = announced;
    target = std::min<std::size_t>(target, announced);
    if (!exchange_->body_may_grow(target)) {
        sink_fault_ = BodyFault::no_memory;
        return false;
    }
    body_.reserve(target);
    return true;
}

void HttpConnection::fail_body(BodyFault fault) {
    host_.counters.count(trouble_of(fault));
    HttpResponse response = exchange_->refuse(fault);
    // Behind a broken or late body no next request can be found.
    if (fault == BodyFault::malformed || fault == BodyFault::timed_out)
        response.closes_connection = true;
    exchange_.reset();
    body_ = Body();
    respond(std::move(response));
}

void HttpConnection::complete() {
    enter(Phase::waiting, host_.limits.reply_timeout);
    ++request_no_;
    const std::unique_ptr<HttpExchange> exchange = std::move(exchange_);
    exchange->complete(
        std::exchange(body_, Body()), ReplyHandle(host_.mailbox(), weak_from_this(), request_no_)
    );
}

void HttpConnection::on_reply(std::uint64_t request_no, HttpResponse&& response) {
    if (phase_ != Phase::waiting || request_no != request_no_) return;
    respond(std::move(response));
}

void HttpConnection::respond(HttpResponse&& response) {
    response_ = std::move(response);
    // A client that waits for 100 may send its body or the next request now: nobody can tell.
    keeps_alive_ = head_.keeps_alive && !response_.closes_connection && !host_.is_closing() &&
                   !are_chunks_open_ && !awaits_continue_ &&
                   body_bytes_left_ <= host_.limits.discard_bytes_max;
    response_head_ = format_response_head(response_, keeps_alive_);
    enter(Phase::writing, host_.limits.write_timeout);
    const bool has_body = head_.method != "HEAD";
    transport_->start_write(*this, response_head_, has_body ? response_.body : std::string_view());
}

void HttpConnection::on_written(bool is_ok) {
    if (phase_ == Phase::closed) return;
    if (!is_ok) {
        host_.counters.count(HttpTrouble::write_failed);
        return close();
    }
    if (std::exchange(is_interim_, false)) return continue_body();
    response_ = {};
    if (!keeps_alive_) return linger();
    if (body_bytes_left_ == 0) return begin_request();
    enter(Phase::discarding, host_.limits.body_timeout);
    continue_discarding();
}

void HttpConnection::continue_discarding() {
    const std::size_t bytes = std::min<std::size_t>(input().size(), body_bytes_left_);
    input_begin_ += bytes;
    body_bytes_left_ -= bytes;
    if (body_bytes_left_ == 0) return begin_request();
    read_input();
}

// Closing at once would reset the connection under a client that still sends, and the answer with
// it (RFC 9112 §9.6).
void HttpConnection::linger() {
    enter(Phase::lingering, host_.limits.linger_timeout);
    lingered_bytes_ = 0;
    transport_->start_shutdown(*this);
}

void HttpConnection::on_shut_down() {
    if (phase_ != Phase::lingering) return;
    input_begin_ = input_end_ = 0;
    read_input();
}

bool HttpConnection::progresses(SteadyTime now) {
    const HttpLimits& limits = host_.limits;
    if (phase_ != Phase::body || now - progress_since_ < limits.body_progress_window) return true;
    const bool is_enough = progress_bytes_ >= limits.body_progress_bytes_min;
    progress_since_ = now;
    progress_bytes_ = 0;
    return is_enough;
}

void HttpConnection::on_tick(SteadyTime now) {
    if (has_timed_out_ || (now < deadline_ && progresses(now))) return;
    switch (phase_) {
        case Phase::closed:
            return;
        case Phase::head:
        case Phase::body:
            // The answer must wait until the read under way has let go of its buffer.
            if (is_interim_) break;
            has_timed_out_ = true;
            return transport_->cancel();
        case Phase::waiting:
            host_.counters.count(HttpTrouble::reply_timeout);
            return respond(closing_response(503, "no answer in time; try again"));
        case Phase::handshake:
            host_.counters.count(HttpTrouble::handshake_failed);
            break;
        case Phase::writing:
            host_.counters.count(HttpTrouble::write_failed);
            break;
        case Phase::idle:
        case Phase::discarding:
        case Phase::lingering:
            break;
    }
    close();
}

void HttpConnection::answer_timeout() {
    has_timed_out_ = false;
    if (phase_ == Phase::body) return fail_body(BodyFault::timed_out);
    fail_head(HttpTrouble::head_timeout, {408, "the request's head did not come in time"});
}

void HttpConnection::on_closing() {
    if (phase_ == Phase::idle && input().empty()) close();
}

void HttpConnection::on_exception() {
    host_.counters.count(HttpTrouble::exception);
    close();
}

void HttpConnection::close() {
    if (phase_ == Phase::closed) return;
    phase_ = Phase::closed;
    exchange_.reset();
    transport_->close();
    host_.forget(*this);
}

}  // namespace spangate
