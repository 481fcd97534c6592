// Boost.Beast's HTTP/1 parser behind a push interface, with the checks Beast leaves to its user.
// The one translation unit that includes Beast is http_parser.cc. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "net/http_message.h"

namespace spangate {

struct HttpFault {
    std::uint16_t status = 400;
    std::string_view message;  // a literal
};

// Takes the decoded bytes of a chunked body; false stops the parser.
class BodySink {
  public:
    virtual ~BodySink() = default;
    [[nodiscard]] virtual bool take(std::string_view bytes) = 0;
};

class HttpParser {
  public:
    HttpParser();
    ~HttpParser();
    HttpParser(const HttpParser&) = delete;
    HttpParser& operator=(const HttpParser&) = delete;

    // A whole head as scan_head() found it. Fills `head` with views into `bytes`; a fault ends the
    // connection. Whatever leaves two readings of where the body ends is a fault: both lengths,
    // several lengths, any transfer coding but a single `chunked` (RFC 9112 §6.3).
    [[nodiscard]] std::optional<HttpFault> parse_head(
        std::string_view bytes, std::size_t fields_max, HttpHead& head
    );

    struct ChunkProgress {
        std::size_t bytes_used = 0;  // the rest must be given again, with more behind it
        bool is_done = false;        // the last chunk and its trailer were seen
        bool is_malformed = false;
        bool is_stopped = false;  // the sink said no
    };

    // The next bytes of the chunked body of the head just parsed; not empty.
    [[nodiscard]] ChunkProgress parse_chunks(std::string_view bytes, BodySink& sink);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
