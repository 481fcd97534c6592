#include "replay/columns.h"

#include "replay/display_width.h"
#include "session/event_line.h"

namespace spangate {
namespace {

std::string harmless(std::string_view text) {
    std::string out;
    append_harmless(text, out);
    return out;
}

}  // namespace

void append_left(std::string_view text, std::size_t columns, std::string& out) {
    out += left_in(harmless(text), columns);
}

void append_right(std::string_view text, std::size_t columns, std::string& out) {
    out += right_in(harmless(text), columns);
}

void append_cut(std::string_view text, std::size_t columns, std::string& out) {
    out += cut_to(harmless(text), columns);
}

}  // namespace spangate
