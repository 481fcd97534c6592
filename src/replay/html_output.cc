#include "replay/html_output.h"

#include <array>
#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "base/text.h"
#include "session/event_line.h"

namespace spangate {
namespace {

constexpr std::size_t ascii_count = 128;

// How a character stands in a JSON string inside a script element; empty: as it is.
const std::array<std::string, ascii_count>& json_forms() {
    static const std::array<std::string, ascii_count> forms = [] {
        std::array<std::string, ascii_count> made;
        for (std::size_t c = 0; c < 0x20; ++c) {
            made[c] = fmt::format("\\u{:04x}", c);
        }
        made['\n'] = "\\n";
        made['\t'] = "\\t";
        made['\r'] = "\\r";
        made['"'] = "\\\"";
        made['\\'] = "\\\\";
        made['<'] = "\\u003c";
        made[0x7f] = "\\u007f";
        return made;
    }();
    return forms;
}

}  // namespace

void HtmlOutput::raw(std::string_view text) {
    buffer_ += text;
    flush_when_full();
}

void HtmlOutput::raw(char c) {
    buffer_ += c;
}

void HtmlOutput::number(std::int64_t value) {
    const fmt::format_int digits(value);
    buffer_.append(digits.data(), digits.size());
    flush_when_full();
}

void HtmlOutput::real(double value) {
    if (!std::isfinite(value)) {
        raw("null");
        return;
    }
    fmt::format_to(std::back_inserter(buffer_), "{:.10g}", value);
}

void HtmlOutput::json(std::string_view text) {
    if (!is_utf8(text)) {
        scratch_.clear();
        append_as_utf8(text, scratch_);
        text = scratch_;
    }
    const std::array<std::string, ascii_count>& forms = json_forms();
    buffer_ += '"';
    std::size_t plain = 0;  // start of the run that stands as it is
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= ascii_count || forms[c].empty()) continue;
        buffer_.append(text, plain, i - plain);
        buffer_ += forms[c];
        plain = i + 1;
    }
    buffer_.append(text, plain);
    buffer_ += '"';
    flush_when_full();
}

void HtmlOutput::markup(std::string_view text) {
    scratch_.clear();
    append_harmless(text, scratch_);
    for (const char c : scratch_) {
        switch (c) {
            case '&':
                buffer_ += "&amp;";
                break;
            case '<':
                buffer_ += "&lt;";
                break;
            case '>':
                buffer_ += "&gt;";
                break;
            case '"':
                buffer_ += "&quot;";
                break;
            default:
                buffer_ += c;
        }
    }
    flush_when_full();
}

void HtmlOutput::flush() {
    out_.write(buffer_.data(), static_cast<std::streamsize>(buffer_.size()));
    flushed_ += buffer_.size();
    buffer_.clear();
}

}  // namespace spangate
