// The walk over one request in protobuf, for otlp_protobuf: request → resources → scopes → items.
// The collector requests of traces and logs give these levels the same field numbers, so one walk
// serves both; an `Items` class reads what differs, one item, and says what things are called:
//
//     static constexpr std::string_view request_name;  // the message
//     static constexpr ItemNames names;
//     static constexpr SpanFault too_many;             // more than spans_per_request_max
//     Items(WireValues&, Arena&, const char*& place);
//     SpanFault read(std::string_view message, SpanView& item);
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "base/arena.h"
#include "config/config.h"
#include "decode/decoder.h"
#include "decode/item_place.h"
#include "decode/span_limits.h"
#include "decode/wire_reader.h"
#include "decode/wire_scopes.h"
#include "decode/wire_values.h"
#include "model/span_view.h"

namespace spangate {

// One walk over one request, in two passes: count the items, then fill. Malformed bytes end it with
// a protozero exception; what is wrong with a single item only is counted and told.
template <typename Items>
class WireItems {
  public:
    // The references outlive this, and so does what `body` shows.
    WireItems(std::string_view body, const ReceiverLimits& limits, Arena& arena)
        : body_(body),
          limits_(limits),
          arena_(arena),
          at_(body.data()),
          values_(limits, arena, body.size(), at_),
          scopes_(values_, arena, at_),
          items_(values_, arena, at_) {}

    [[nodiscard]] DecodedItems run();

    // Where the walk stands, after an exception.
    [[nodiscard]] std::string place() const;

  private:
    // Of the request, of a resource's list and of a scope's list: 1 is what stands above the list
    // (but for the request), 2 the list.
    static constexpr std::uint32_t request_fields = field_bits({1});
    static constexpr std::uint32_t level_fields = field_bits({1, 2});

    [[nodiscard]] std::size_t count_items();
    void walk_resource(std::string_view message);
    // `fault`: of the resource; it is that of every item below.
    void walk_scope(std::string_view message, const ResourceView* resource, SpanFault fault);
    void take_item(std::string_view message, const ResourceView* resource, const ScopeView* scope);
    void reject(SpanFault why);

    // Calls `take(bytes)` for each field of this kind.
    template <typename Take>
    void each_of(std::string_view message, std::uint32_t tag_and_type, Take&& take);

    std::string_view body_;
    const ReceiverLimits& limits_;
    Arena& arena_;
    DecodedItems decoded_;
    std::size_t items_filled_ = 0;

    const char* at_;  // the field being read
    WireValues values_;
    WireScopes scopes_;
    Items items_;
    ItemPlace place_;
};

template <typename Items>
DecodedItems WireItems<Items>::run() {
    decoded_.spans = arena_.make_array<SpanView>(
        std::min<std::size_t>(count_items(), limits_.spans_per_request_max)
    );
    WireReader request(body_, at_);
    while (request.next()) {
        switch (request.tag_and_type()) {
            case wire::bytes(1):
                ++place_.resource;
                walk_resource(request.bytes());
                break;
            default:
                request.skip_unknown(request_fields);
        }
    }
    decoded_.spans = decoded_.spans.first(items_filled_);
    return std::move(decoded_);
}

template <typename Items>
std::size_t WireItems<Items>::count_items() {
    std::size_t count = 0;
    each_of(body_, wire::bytes(1), [&](std::string_view resource) {
        each_of(resource, wire::bytes(2), [&](std::string_view scope) {
            count += count_fields<1>(scope, {wire::bytes(2)}, at_)[0];
        });
    });
    return count;
}

template <typename Items>
void WireItems<Items>::walk_resource(std::string_view message) {
    place_.scope = ItemPlace::nowhere;
    SpanFault fault = values_.take_room(1) ? nullptr : span_fault::room;
    ResourceView* resource = fault == nullptr ? arena_.make<ResourceView>() : nullptr;
    // The resource may stand behind its items, so it is looked for first.
    each_of(message, wire::bytes(1), [&](std::string_view found) {
        if (fault == nullptr) fault = scopes_.read_resource(found, *resource);
    });
    WireReader reader(message, at_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                reader.skip();
                break;
            case wire::bytes(2):
                ++place_.scope;
                walk_scope(reader.bytes(), resource, fault);
                break;
            default:
                reader.skip_unknown(level_fields);
        }
    }
    place_.scope = ItemPlace::nowhere;
}

template <typename Items>
void WireItems<Items>::walk_scope(
    std::string_view message, const ResourceView* resource, SpanFault fault
) {
    place_.item = ItemPlace::nowhere;
    if (fault == nullptr && !values_.take_room(1)) fault = span_fault::room;
    ScopeView* scope = fault == nullptr ? arena_.make<ScopeView>() : nullptr;
    each_of(message, wire::bytes(1), [&](std::string_view found) {
        if (fault == nullptr) fault = scopes_.read_scope(found, *scope);
    });
    WireReader reader(message, at_);
    while (reader.next()) {
        switch (reader.tag_and_type()) {
            case wire::bytes(1):
                reader.skip();
                break;
            case wire::bytes(2):
                ++place_.item;
                if (fault != nullptr) {
                    reader.skip();
                    reject(fault);
                } else {
                    take_item(reader.bytes(), resource, scope);
                }
                break;
            default:
                reader.skip_unknown(level_fields);
        }
    }
    place_.item = ItemPlace::nowhere;
}

template <typename Items>
void WireItems<Items>::take_item(
    std::string_view message, const ResourceView* resource, const ScopeView* scope
) {
    if (items_filled_ == decoded_.spans.size()) return reject(Items::too_many);
    SpanView& item = decoded_.spans[items_filled_];
    const SpanFault fault = items_.read(message, item);
    if (fault != nullptr) {
        item = {};
        return reject(fault);
    }
    item.resource = resource;
    item.scope = scope;
    ++items_filled_;
}

template <typename Items>
void WireItems<Items>::reject(SpanFault why) {
    if (decoded_.rejected++ == 0) decoded_.rejected_why = why;
}

template <typename Items>
template <typename Take>
void WireItems<Items>::each_of(std::string_view message, std::uint32_t tag_and_type, Take&& take) {
    WireReader reader(message, at_);
    while (reader.next()) {
        if (reader.tag_and_type() == tag_and_type) {
            take(reader.bytes());
        } else {
            reader.skip();
        }
    }
}

template <typename Items>
std::string WireItems<Items>::place() const {
    const std::string item = place_.text(Items::names);
    return fmt::format(
        "byte {} of {}{}{}", at_ - body_.data(), Items::request_name, item.empty() ? "" : ".", item
    );
}

}  // namespace spangate
