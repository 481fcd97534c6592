#include "base/json_quote.h"

#include <fmt/format.h>

#include "base/text.h"

namespace spangate {

std::string json_quote(std::string_view text) {
    std::string well_formed;
    append_as_utf8(text, well_formed);
    std::string out = "\"";
    for (const char c : well_formed) {
        if (static_cast<unsigned char>(c) < 0x20) {
            out += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            continue;
        }
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

}  // namespace spangate
