// SPANGATE_CHECK holds in every build; SPANGATE_DCHECK only where NDEBUG is not set. Both are for
// our own logic: data from outside is never wrong enough to end the process.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace spangate::detail {

[[noreturn]] inline void check_failed(const char* believed, const char* file, int line) {
    std::fprintf(stderr, "spangate: believed %s at %s:%d; this is a bug\n", believed, file, line);
    std::abort();
}

}  // namespace spangate::detail

#define SPANGATE_CHECK(condition)       \
    (__builtin_expect(!!(condition), 1) \
         ? static_cast<void>(0)         \
         : ::spangate::detail::check_failed(#condition, __FILE__, __LINE__))

#ifdef NDEBUG
#define SPANGATE_DCHECK(condition) static_cast<void>(0)
#else
#define SPANGATE_DCHECK(condition) SPANGATE_CHECK(condition)
#endif
