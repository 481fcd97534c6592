// Times, money and hashes as people read them; the same in every view.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace spangate {

// «0.4s», «62.1s», «6m12s», «2h05m»; «0» for none.
[[nodiscard]] std::string duration_words(WallNanos duration);

// Since the session's begin: «01:02.1», from an hour on «1:02:03»; negative with a sign.
[[nodiscard]] std::string clock_words(WallNanos since_begin);

// «0», «.0004», «0.31», «12.50»: without a currency, at most seven characters below a million.
[[nodiscard]] std::string money_words(double usd);

// «12,345».
[[nodiscard]] std::string count_words(std::int64_t count);

// The first four characters of a state's hash, a prefix such as «sha256:» left out.
[[nodiscard]] std::string_view short_hash(std::string_view hash);

}  // namespace spangate
