// Names and numbers as the loop detector compares them: hashes that stay the same from release to
// release (they are saved), and what kinds of tools and errors there are. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace spangate {

// 0 only for the empty text.
[[nodiscard]] std::uint32_t loop_hash(std::string_view text);
[[nodiscard]] std::uint16_t loop_short_hash(std::string_view text);
[[nodiscard]] std::uint32_t loop_mix(std::uint32_t a, std::uint32_t b);

// Times and costs in eight bits: eight codes to a doubling, exact to about 5 %.
[[nodiscard]] std::uint8_t coded_pause(double ms);
[[nodiscard]] double pause_ms(std::uint8_t code);
[[nodiscard]] std::uint8_t coded_cost(double usd);
[[nodiscard]] double coded_cost_usd(std::uint8_t code);

// What a repeat does to a failure.
enum class FailureNature : std::uint8_t {
    ordinary,   // may mend it
    transient,  // mends it after a wait: rates, timeouts, 5xx
    permanent,  // does not: the call itself is wrong or not allowed
    absent,     // as permanent, but another place may be tried: what was looked for is not there
};
[[nodiscard]] FailureNature nature_of(std::string_view error_class, std::int64_t http_status);

// The call waits for a person; its error is not one.
[[nodiscard]] bool is_interrupt(std::string_view error_class);

// A tool that only lets time pass.
[[nodiscard]] bool is_sleeping_tool(std::string_view tool);

// A tool that answers a write with a receipt: equal answers to different calls are what one wants.
[[nodiscard]] bool is_writing_tool(std::string_view tool);

// "transfer_to_billing" → "billing".
[[nodiscard]] std::string_view handed_agent(std::string_view target);

}  // namespace spangate
