// What every part of the page is written through: raw markup, text made safe for where it stands,
// and a count of the bytes so far, which the page's budget is held against. One thread.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace spangate {

class HtmlOutput {
  public:
    explicit HtmlOutput(std::ostream& out) : out_(out) { buffer_.reserve(buffer_bytes + 4096); }

    ~HtmlOutput() { flush(); }

    HtmlOutput(const HtmlOutput&) = delete;
    HtmlOutput& operator=(const HtmlOutput&) = delete;

    // As it is.
    void raw(std::string_view text);
    void raw(char c);
    void number(std::int64_t value);
    void real(double value);  // 10 significant digits, null when not a number

    // A JSON string that may stand inside a script element: `<` is \u003c, ill-formed UTF-8 U+FFFD.
    void json(std::string_view text);

    // Text between tags or in a quoted attribute: markup escaped; control and bidirectional
    // characters shown as \u00XX.
    void markup(std::string_view text);

    [[nodiscard]] std::uint64_t bytes() const { return flushed_ + buffer_.size(); }

  private:
    static constexpr std::size_t buffer_bytes = 64 * 1024;

    void flush();

    void flush_when_full() {
        if (buffer_.size() >= buffer_bytes) flush();
    }

    std::ostream& out_;
    std::string buffer_;
    std::string scratch_;
    std::uint64_t flushed_ = 0;
};

}  // namespace spangate
