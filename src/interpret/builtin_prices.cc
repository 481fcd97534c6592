#include <cstddef>

#include "interpret/price_table.h"

// As in builtin_conventions.cc: the bytes of the file, exact.
__asm__(
    ".section .rodata\n"
    ".global spangate_builtin_prices_begin\n"
    ".global spangate_builtin_prices_end\n"
    "spangate_builtin_prices_begin:\n"
    ".incbin \"" SPANGATE_PRICES_FILE
    "\"\n"
    "spangate_builtin_prices_end:\n"
    ".previous\n"
);

extern "C" {
extern const char spangate_builtin_prices_begin;
extern const char spangate_builtin_prices_end;
}

namespace spangate {

std::string_view builtin_prices() {
    const char* begin = &spangate_builtin_prices_begin;
    const char* end = &spangate_builtin_prices_end;
    return {begin, static_cast<std::size_t>(end - begin)};
}

}  // namespace spangate
