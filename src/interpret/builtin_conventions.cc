#include <cstddef>

#include "interpret/conventions.h"

// The assembler copies the file; nothing has to be generated, and the bytes are exact.
__asm__(
    ".section .rodata\n"
    ".global spangate_builtin_conventions_begin\n"
    ".global spangate_builtin_conventions_end\n"
    "spangate_builtin_conventions_begin:\n"
    ".incbin \"" SPANGATE_CONVENTIONS_FILE
    "\"\n"
    "spangate_builtin_conventions_end:\n"
    ".previous\n"
);

extern "C" {
extern const char spangate_builtin_conventions_begin;
extern const char spangate_builtin_conventions_end;
}

namespace spangate {

std::string_view builtin_conventions() {
    const char* begin = &spangate_builtin_conventions_begin;
    const char* end = &spangate_builtin_conventions_end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace spangate
