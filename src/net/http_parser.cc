#include "net/http_parser.h"

#include <algorithm>
#include <limits>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/text.h"

namespace spangate {
namespace {

namespace http = boost::beast::http;
using BeastView = boost::beast::string_view;
using BeastError = boost::beast::error_code;

std::string_view view_of(BeastView text) {
    return {text.data(), text.size()};
}

class RequestParser final : public http::basic_parser<true> {
  public:
    RequestParser(HttpHead& head, std::size_t fields_max) : head_(head), fields_max_(fields_max) {
        header_limit(std::numeric_limits<std::uint32_t>::max());
        // No limit here; «none» would compare as smaller than every length.
        body_limit(std::numeric_limits<std::uint64_t>::max());
        eager(false);
    }

    void set_sink(BodySink& sink) { sink_ = &sink; }

    [[nodiscard]] bool has_too_many_fields() const { return has_too_many_fields_; }

    [[nodiscard]] bool is_stopped() const { return is_stopped_; }

    [[nodiscard]] int version() const { return version_; }

  private:
    void on_request_impl(
        http::verb /*method*/, BeastView method, BeastView target, int version, BeastError& error
    ) override {
        head_.method = view_of(method);
        head_.target = view_of(target);
        head_.path = path_of(head_.target);
        version_ = version;
        error = {};
    }

    void on_response_impl(int /*code*/, BeastView /*reason*/, int /*version*/, BeastError& error)
        override {
        error = http::error::bad_version;
    }

    void on_field_impl(http::field /*field*/, BeastView name, BeastView value, BeastError& error)
        override {
        error = {};
        if (in_body_) return;  // trailers are allowed and mean nothing here
        if (head_.fields.size() >= fields_max_) {
            has_too_many_fields_ = true;
            error = http::error::header_limit;
            return;
        }
        head_.fields.push_back({view_of(name), view_of(value)});
    }

    void on_header_impl(BeastError& error) override {
        in_body_ = true;
        error = {};
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, BeastError& error)
        override {
        error = {};
    }

    std::size_t on_body_impl(BeastView /*body*/, BeastError& error) override {
        error = http::error::unexpected_body;  // bodies of known length never come this way
        return 0;
    }

    void on_chunk_header_impl(std::uint64_t /*size*/, BeastView /*extensions*/, BeastError& error)
        override {
        error = {};
    }

    std::size_t on_chunk_body_impl(std::uint64_t /*remain*/, BeastView body, BeastError& error)
        override {
        error = {};
        if (sink_->take(view_of(body))) return body.size();
        is_stopped_ = true;
        error = http::error::body_limit;
        return 0;
    }

    void on_finish_impl(BeastError& error) override { error = {}; }

    HttpHead& head_;
    const std::size_t fields_max_;
    BodySink* sink_ = nullptr;
    int version_ = 0;
    bool in_body_ = false;
    bool has_too_many_fields_ = false;
    bool is_stopped_ = false;
};

bool is_number(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// Where does the body end? One answer or none.
std::optional<HttpFault> check_framing(const HttpHead& head, int version) {
    const std::size_t codings = head.count_of("Transfer-Encoding");
    const std::size_t lengths = head.count_of("Content-Length");
    if (codings > 0 && lengths > 0)
        return HttpFault{400, "Content-Length and Transfer-Encoding exclude each other"};
    if (codings > 1 ||
        (codings == 1 && !equals_ignore_case(head.field("Transfer-Encoding"), "chunked")))
        return HttpFault{400, "the only transfer coding is chunked, once"};
    if (codings == 1 && version < 11) return HttpFault{400, "HTTP/1.0 knows no transfer coding"};
    if (lengths > 1 || (lengths == 1 && !is_number(head.field("Content-Length"))))
        return HttpFault{400, "Content-Length must be one decimal number"};
    return std::nullopt;
}

// «PRI * HTTP/2.0», which Beast calls malformed like anything else.
bool is_of_other_version(std::string_view head) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::string_view version = line.substr(line.rfind(' ') + 1);
    return version.size() == 8 && version.starts_with("HTTP/") && version != "HTTP/1.1" &&
           version != "HTTP/1.0";
}

std::optional<HttpFault> check_fields(const HttpHead& head, int version) {
    if (head.count_of("Host") > 1 || (version == 11 && head.count_of("Host") == 0))
        return HttpFault{400, "exactly one Host field is needed"};
    if (auto fault = check_framing(head, version)) return fault;
    const std::string_view expect = head.field("Expect");
    if (!expect.empty() && !equals_ignore_case(expect, "100-continue"))
        return HttpFault{417, "the only expectation is 100-continue"};
    return std::nullopt;
}

}  // namespace

struct HttpParser::State {
    std::optional<RequestParser> parser;
};

HttpParser::HttpParser() : state_(std::make_unique<State>()) {}

HttpParser::~HttpParser() = default;

std::optional<HttpFault> HttpParser::parse_head(
    std::string_view bytes, std::size_t fields_max, HttpHead& head
) {
    std::vector<HttpField> fields = std::move(head.fields);  // its room is used again
    fields.clear();
    head = HttpHead();
    head.fields = std::move(fields);
    RequestParser& parser = state_->parser.emplace(head, fields_max);
    BeastError error;
    const std::size_t used =
        parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (parser.has_too_many_fields()) return HttpFault{431, "too many header fields"};
    if (error && is_of_other_version(bytes))
        return HttpFault{505, "HTTP/1.1 and HTTP/1.0 are spoken"};
    // Both lengths, and lengths that contradict each other, are errors of Beast's already.
    if (error || used != bytes.size() || !parser.is_header_done())
        return HttpFault{400, "the request's head is malformed"};
    if (auto fault = check_fields(head, parser.version())) return fault;
    head.is_chunked = parser.chunked();
    if (!head.is_chunked) head.content_length = parser.content_length().value_or(0);
    head.keeps_alive = parser.keep_alive();
    head.expects_continue = parser.version() == 11 && !head.field("Expect").empty();
    return std::nullopt;
}

HttpParser::ChunkProgress HttpParser::parse_chunks(std::string_view bytes, BodySink& sink) {
    RequestParser& parser = *state_->parser;
    parser.set_sink(sink);
    parser.eager(true);
    BeastError error;
    ChunkProgress progress;
    progress.bytes_used = parser.put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    progress.is_done = !error && parser.is_done();
    progress.is_stopped = parser.is_stopped();
    progress.is_malformed = error && error != http::error::need_more && !progress.is_stopped;
    return progress;
}

}  // namespace spangate
