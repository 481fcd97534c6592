// The walk over one request in JSON, for otlp_json: request → resources → scopes → items, which is
// one for traces and logs. An `Items` class reads what differs, one item, and says what things are
// called:
//
//     static constexpr ItemNames names;
//     static constexpr SpanFault too_many;  // more than spans_per_request_max
//     SpanFault read(json::value value, SpanView& item);
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "decode/item_place.h"
#include "decode/json_reader.h"
#include "decode/json_scopes.h"
#include "decode/json_values.h"
#include "decode/span_limits.h"
#include "model/span_view.h"

namespace spangate {

// One walk over one request. What is not OTLP/JSON ends it with a JsonFault; what is wrong with a
// single item only is counted and told.
template <typename Items>
class JsonItems {
  public:
    // The references outlive this. `stack` is empty: items are built on it until all are known.
    JsonItems(
        Items& items,
        JsonScopes scopes,
        JsonValues& values,
        std::vector<SpanView>& stack,
        const ReceiverLimits& limits,
        Arena& arena
    )
        : items_(items),
          scopes_(scopes),
          values_(values),
          stack_(stack),
          limits_(limits),
          arena_(arena) {}

    [[nodiscard]] DecodedItems run(json::document& document);

    // Where the walk stands, after a fault.
    [[nodiscard]] std::string place() const;

  private:
    // Items and rejections at some point, to come back to.
    struct Mark {
        std::size_t items = 0;
        std::uint64_t rejected = 0;
    };

    [[nodiscard]] Mark mark() const { return {stack_.size(), decoded_.rejected}; }

    void forget_since(const Mark& mark);
    void reject_since(const Mark& mark, SpanFault why);
    void reject(SpanFault why, std::uint64_t count = 1);

    void walk_resource(json::value value);
    void walk_scope(json::value value, const ResourceView* resource);
    void take_item(json::value value, const ResourceView* resource, const ScopeView* scope);

    Items& items_;
    JsonScopes scopes_;
    JsonValues& values_;
    std::vector<SpanView>& stack_;
    const ReceiverLimits& limits_;
    Arena& arena_;
    DecodedItems decoded_;
    ItemPlace place_;
};

template <typename Items>
DecodedItems JsonItems<Items>::run(json::document& document) {
    static_cast<void>(each_member(document, [&](std::string_view key, json::value value) {
        if (key != Items::names.resources) return SpanFault{nullptr};
        forget_since({});
        place_ = {};
        return each_element(value, [&](json::value element) {
            ++place_.resource;
            walk_resource(element);
            return SpanFault{nullptr};
        });
    }));
    place_ = {};
    const char* rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS) {
        throw JsonFault{"something stands behind the request"};
    }
    decoded_.spans = unstack(arena_, stack_, 0);
    return std::move(decoded_);
}

template <typename Items>
void JsonItems<Items>::forget_since(const Mark& mark) {
    stack_.resize(mark.items);
    decoded_.rejected = mark.rejected;
}

template <typename Items>
void JsonItems<Items>::reject_since(const Mark& mark, SpanFault why) {
    const std::uint64_t taken = stack_.size() - mark.items;
    stack_.resize(mark.items);
    reject(why, taken);
}

template <typename Items>
void JsonItems<Items>::reject(SpanFault why, std::uint64_t count) {
    if (count == 0) return;
    if (decoded_.rejected_why.empty()) decoded_.rejected_why = why;
    decoded_.rejected += count;
}

template <typename Items>
void JsonItems<Items>::walk_resource(json::value value) {
    const Mark before = mark();
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    auto* resource = fault == nullptr ? arena_.make<ResourceView>() : nullptr;
    static_cast<void>(each_member(value, [&](std::string_view key, json::value member) {
        if (key == "resource" && fault == nullptr) fault = scopes_.read_resource(member, *resource);
        if (key != Items::names.scopes) return SpanFault{nullptr};
        forget_since(before);
        place_.scope = ItemPlace::nowhere;
        return each_element(member, [&](json::value element) {
            ++place_.scope;
            walk_scope(element, resource);
            return SpanFault{nullptr};
        });
    }));
    place_.scope = ItemPlace::nowhere;
    if (fault != nullptr) reject_since(before, fault);
}

template <typename Items>
void JsonItems<Items>::walk_scope(json::value value, const ResourceView* resource) {
    const Mark before = mark();
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    auto* scope = fault == nullptr ? arena_.make<ScopeView>() : nullptr;
    static_cast<void>(each_member(value, [&](std::string_view key, json::value member) {
        if (key == "scope" && fault == nullptr) fault = scopes_.read_scope(member, *scope);
        if (key != Items::names.items) return SpanFault{nullptr};
        forget_since(before);
        place_.item = ItemPlace::nowhere;
        return each_element(member, [&](json::value element) {
            ++place_.item;
            take_item(element, resource, scope);
            return SpanFault{nullptr};
        });
    }));
    place_.item = ItemPlace::nowhere;
    if (fault != nullptr) reject_since(before, fault);
}

template <typename Items>
void JsonItems<Items>::take_item(
    json::value value, const ResourceView* resource, const ScopeView* scope
) {
    if (stack_.size() >= limits_.spans_per_request_max) return reject(Items::too_many);
    SpanView item;
    if (const SpanFault fault = items_.read(value, item)) return reject(fault);
    item.resource = resource;
    item.scope = scope;
    stack_.push_back(item);
}

template <typename Items>
std::string JsonItems<Items>::place() const {
    const std::string item = place_.text(Items::names);
    return item.empty() ? "the top level" : item;
}

}  // namespace spangate
