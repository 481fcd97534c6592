#include "replay/html_page.h"

#include <algorithm>
#include <cstddef>

#include "base/text.h"
#include "digest/sha256.h"

// The assembler copies the files; nothing has to be generated, and the bytes are exact. The script
// is one module of several files, in this order.
__asm__(
    ".section .rodata\n"
    ".global spangate_page_markup_begin\n"
    ".global spangate_page_style_begin\n"
    ".global spangate_page_script_begin\n"
    ".global spangate_page_script_end\n"
    "spangate_page_markup_begin:\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/page.html\"\n"
    "spangate_page_style_begin:\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/page.css\"\n"
    "spangate_page_script_begin:\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/words.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/story.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/view.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/list.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/charts.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/lanes.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/curve.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/detail.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/header.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/player.js\"\n"
    ".incbin \"" SPANGATE_PAGE_DIRECTORY
    "/page.js\"\n"
    "spangate_page_script_end:\n"
    ".previous\n"
);

extern "C" {
extern const char spangate_page_markup_begin;
extern const char spangate_page_style_begin;
extern const char spangate_page_script_begin;
extern const char spangate_page_script_end;
}

namespace spangate {
namespace {

std::string_view between(const char& begin, const char& end) {
    return {&begin, static_cast<std::size_t>(&end - &begin)};
}

// Without blanks at the begin of lines, and without lines of comment alone. No text of the sources
// goes over a line's end.
std::string slim(std::string_view source) {
    std::string made;
    while (!source.empty()) {
        const std::size_t end = std::min(source.find('\n'), source.size() - 1) + 1;
        const std::string_view line = source.substr(0, end);
        source.remove_prefix(end);
        const std::size_t first = line.find_first_not_of(" \n");
        if (first == std::string_view::npos || line.substr(first).starts_with("// ")) continue;
        made += line.substr(first);
    }
    return made;
}

std::string source_hash(std::string_view source) {
    const Sha256Digest digest = Sha256().add(source).finish();
    std::string bytes(digest.begin(), digest.end());
    return "'sha256-" + to_base64(bytes) + "'";
}

}  // namespace

std::string_view page_markup() {
    return between(spangate_page_markup_begin, spangate_page_style_begin);
}

std::string_view page_style() {
    static const std::string style =
        slim(between(spangate_page_style_begin, spangate_page_script_begin));
    return style;
}

std::string_view page_script() {
    static const std::string script =
        slim(between(spangate_page_script_begin, spangate_page_script_end));
    return script;
}

const std::string& page_content_policy() {
    static const std::string policy = "default-src 'none'; style-src " + source_hash(page_style()) +
                                      "; script-src " + source_hash(page_script()) +
                                      "; img-src data:; base-uri 'none'; form-action 'none'";
    return policy;
}

}  // namespace spangate
