// JSON pointers (RFC 6901, with `*` for every element) into attribute values: JSON text, or nested
// arrays and maps as OTLP carries them.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "model/span_view.h"

namespace spangate {

class JsonLookup {
  public:
    static constexpr std::size_t elements_max = 1'024;  // what `*` or an array gives at most

    JsonLookup();
    ~JsonLookup();

    // Forgets the last text: its memory may hold another one now. Once a span.
    void forget();

    // The value at `pointer`, its texts in the arena; nothing when there is none. Objects count as
    // none; an array gives its scalars.
    [[nodiscard]] std::optional<Value> find(
        const Value& value, std::span<const std::string> pointer, Arena& arena
    );

    // The array that `value` is, or that its JSON text says.
    [[nodiscard]] std::optional<Value> array(const Value& value, Arena& arena);

  private:
    struct State;

    [[nodiscard]] bool parse(std::string_view text);

    std::unique_ptr<State> state_;
};

}  // namespace spangate
