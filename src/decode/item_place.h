// Requests of every signal have one shape: resources hold scopes, scopes hold items (spans or log
// records). What differs is what the levels are called; where a walk over them stands is told to
// the client in those words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

namespace spangate {

// The fields of the three levels, as the encoding spells them.
struct ItemNames {
    std::string_view resources;
    std::string_view scopes;
    std::string_view items;
};

// Each index counts from 0 within the level above; `nowhere` is outside of that level.
struct ItemPlace {
    static constexpr std::size_t nowhere = static_cast<std::size_t>(-1);

    std::size_t resource = nowhere;
    std::size_t scope = nowhere;
    std::size_t item = nowhere;

    // As in "resourceSpans[0].scopeSpans[1].spans[7]"; empty outside of all resources.
    [[nodiscard]] std::string text(const ItemNames& names) const {
        if (resource == nowhere) return {};
        std::string place = fmt::format("{}[{}]", names.resources, resource);
        if (scope == nowhere) return place;
        place += fmt::format(".{}[{}]", names.scopes, scope);
        if (item == nowhere) return place;
        return place + fmt::format(".{}[{}]", names.items, item);
    }
};

}  // namespace spangate
