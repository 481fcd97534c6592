// The fields of one event's JSON by name. Everything borrows from the parser: valid until the next
// parse().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/clock.h"

namespace spangate {

class EventFields {
  public:
    EventFields();
    ~EventFields();
    EventFields(EventFields&&) noexcept;
    EventFields& operator=(EventFields&&) noexcept;

    // False when `json` is not a JSON object.
    [[nodiscard]] bool parse(std::string_view json);

    // Empty when absent or no string.
    [[nodiscard]] std::string_view text(std::string_view name) const;

    [[nodiscard]] std::optional<std::int64_t> integer(std::string_view name) const;
    [[nodiscard]] std::optional<double> real(std::string_view name) const;
    [[nodiscard]] std::optional<WallNanos> time(std::string_view name) const;
    [[nodiscard]] bool has(std::string_view name) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
