#include "replay/text_page.h"

#include <algorithm>
#include <array>

#include "replay/display_width.h"
#include "session/event_line.h"

namespace spangate {
namespace {

constexpr std::array<std::string_view, 9> codes = {
    "",
    "\x1b[1m",
    "\x1b[2m",
    "\x1b[31m",
    "\x1b[32m",
    "\x1b[33m",
    "\x1b[34m",
    "\x1b[35m",
    "\x1b[36m"};
constexpr std::string_view no_ink = "\x1b[0m";

// Members of objects and arrays on lines of their own, two blanks a level. Works on the characters
// alone: what is not JSON comes out with other blanks and line ends, and nothing else lost.
std::string laid_out(std::string_view json) {
    std::string out;
    std::size_t level = 0;
    bool is_in_text = false;
    const auto break_line = [&] {
        out += '\n';
        out.append(std::min<std::size_t>(2 * level, 40), ' ');
    };
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (is_in_text) {
            out += c;
            if (c == '\\' && i + 1 < json.size()) {
                out += json[++i];
            } else {
                is_in_text = c != '"';
            }
            continue;
        }
        const bool is_empty = i + 1 < json.size() && (json[i + 1] == '}' || json[i + 1] == ']');
        switch (c) {
            case '{':
            case '[':
                ++level;
                out += c;
                if (!is_empty) break_line();
                break;
            case '}':
            case ']':
                level -= level > 0 ? 1 : 0;
                if (i > 0 && json[i - 1] != '{' && json[i - 1] != '[') break_line();
                out += c;
                break;
            case ',':
                out += c;
                break_line();
                break;
            case ':':
                out += ": ";
                break;
            case ' ':
            case '\n':
            case '\r':
            case '\t':
                if (!out.empty() && out.back() != ' ' && out.back() != '\n') out += ' ';
                break;
            default:
                is_in_text = c == '"';
                out += c;
        }
    }
    return out;
}

bool is_json_value(std::string_view text) {
    return text.size() > 1 && ((text.front() == '{' && text.back() == '}') ||
                               (text.front() == '[' && text.back() == ']'));
}

}  // namespace

std::string harmless(std::string_view text) {
    std::string out;
    append_harmless(text, out);
    return out;
}

TextPage::TextPage(std::ostream& out, std::uint32_t columns, bool has_colours)
    : out_(out),
      columns_(std::max(columns, columns_min)),
      has_colours_(has_colours) {}

std::string TextPage::inked(Ink ink, std::string_view text) const {
    if (!has_colours_ || ink == Ink::plain || text.empty()) return std::string(text);
    return std::string(codes[static_cast<std::size_t>(ink)]) + std::string(text) +
           std::string(no_ink);
}

void TextPage::line(std::string_view text) {
    const std::size_t end = text.find_last_not_of(' ');
    out_ << text.substr(0, end == std::string_view::npos ? 0 : end + 1) << '\n';
}

void TextPage::wrapped(std::string_view lead, std::size_t indent, std::string_view text, Ink ink) {
    const std::string whole = harmless(text);
    std::string_view rest = whole;
    const std::size_t room = columns_ > indent + 20 ? columns_ - indent : 20;
    std::string start = left_in(lead, indent);
    do {
        std::size_t end = bytes_within(rest, room);
        if (end < rest.size()) {
            const std::size_t blank = rest.rfind(' ', end);
            if (blank != std::string_view::npos && blank > 0) end = blank;
        }
        line(inked(ink, start + std::string(rest.substr(0, end))));
        rest.remove_prefix(
            std::min(rest.size(), end < rest.size() && rest[end] == ' ' ? end + 1 : end)
        );
        start.assign(indent, ' ');
    } while (!rest.empty());
}

void TextPage::content(std::size_t indent, std::string_view text) {
    const std::string made = is_json_value(text) ? laid_out(text) : std::string(text);
    std::string_view rest = made;
    while (!rest.empty()) {
        const std::size_t end = rest.find('\n');
        line(std::string(indent, ' ') + harmless(rest.substr(0, end)));
        rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
    }
}

}  // namespace spangate
