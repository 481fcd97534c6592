// Spans made by hand, for tests of the rooms after decode. The builder owns everything the views
// point into; a span is complete when spans() is called.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/arena.h"
#include "model/span_view.h"

namespace spangate {

inline constexpr std::uint64_t start_for_test = 1'790'000'000'000'000'000;
inline constexpr std::uint64_t second_nanos = 1'000'000'000;

[[nodiscard]] inline TraceId trace_of(std::uint8_t number) {
    TraceId id{};
    id.back() = number;
    return id;
}

[[nodiscard]] inline SpanId span_of(std::uint8_t number) {
    SpanId id{};
    id.back() = number;
    return id;
}

class SpanBuilder {
  public:
    using Pair = std::pair<std::string_view, Value>;
    using Pairs = std::vector<Pair>;

    SpanBuilder() {
        scope("");
        resource({});
    }

    // For the spans that follow.
    SpanBuilder& resource(const Pairs& attributes) {
        resource_ = &resources_.emplace_back();
        resource_->attributes = copied(attributes);
        return *this;
    }

    SpanBuilder& scope(std::string_view name, const Pairs& attributes = {}) {
        scope_ = &scopes_.emplace_back();
        scope_->name = arena_.copy(name);
        scope_->attributes = copied(attributes);
        return *this;
    }

    // A child of `parent` (0: a root) in trace `trace`, one second long.
    SpanBuilder& span(
        std::string_view name, std::uint8_t id, std::uint8_t parent, const Pairs& attributes
    ) {
        SpanView& span = spans_.emplace_back();
        span.resource = resource_;
        span.scope = scope_;
        span.trace_id = trace_of(1);
        span.span_id = span_of(id);
        span.parent_span_id = span_of(parent);
        span.name = arena_.copy(name);
        span.kind = SpanKind::internal;
        span.start_unix_nano = start_for_test + id * second_nanos;
        span.end_unix_nano = span.start_unix_nano + second_nanos;
        span.attributes = copied(attributes);
        return *this;
    }

    // A log record of trace `trace` 1 and span `id` (0: of no span), `id` seconds after the start.
    SpanBuilder& log(
        std::string_view event_name, std::uint8_t id, const Pairs& attributes, Value body = {}
    ) {
        LogRecordView& record = logs_.emplace_back();
        record.event_name = arena_.copy(event_name);
        record.observed_unix_nano = start_for_test + 200 * second_nanos;
        record.body.key = "body";
        record.body.value = body.is_text() ? Value::of(arena_.copy(body.text())) : body;
        SpanView& span = spans_.emplace_back();
        span.resource = resource_;
        span.scope = scope_;
        span.trace_id = id == 0 ? TraceId{} : trace_of(1);
        span.span_id = span_of(id);
        span.start_unix_nano = start_for_test + id * second_nanos;
        span.end_unix_nano = span.start_unix_nano;
        span.attributes = copied(attributes);
        span.log = &record;
        return *this;
    }

    // The rest changes the last span.
    SpanBuilder& trace(std::uint8_t number) {
        last().trace_id = trace_of(number);
        return *this;
    }

    SpanBuilder& times(std::uint64_t start, std::uint64_t end) {
        last().start_unix_nano = start;
        last().end_unix_nano = end;
        return *this;
    }

    SpanBuilder& kind(SpanKind kind) {
        last().kind = kind;
        return *this;
    }

    SpanBuilder& error(std::string_view message = {}) {
        last().status_code = StatusCode::error;
        last().status_message = arena_.copy(message);
        return *this;
    }

    SpanBuilder& event(std::string_view name, const Pairs& attributes, std::uint64_t time = 0) {
        std::vector<SpanEventView> events(last().events.begin(), last().events.end());
        SpanEventView& event = events.emplace_back();
        event.name = arena_.copy(name);
        event.time_unix_nano = time == 0 ? last().start_unix_nano + second_nanos / 2 : time;
        event.attributes = copied(attributes);
        last().events = arena_.copy_array(std::span<const SpanEventView>(events));
        return *this;
    }

    SpanBuilder& link(std::uint8_t trace, const Pairs& attributes = {}) {
        std::vector<SpanLinkView> links(last().links.begin(), last().links.end());
        SpanLinkView& link = links.emplace_back();
        link.trace_id = trace_of(trace);
        link.span_id = span_of(99);
        link.attributes = copied(attributes);
        last().links = arena_.copy_array(std::span<const SpanLinkView>(links));
        return *this;
    }

    [[nodiscard]] std::span<SpanView> spans() { return spans_; }

  private:
    [[nodiscard]] SpanView& last() { return spans_.back(); }

    [[nodiscard]] std::span<Attribute> copied(const Pairs& pairs) {
        const std::span<Attribute> attributes = arena_.make_array<Attribute>(pairs.size());
        for (std::size_t i = 0; i < pairs.size(); ++i) {
            attributes[i].key = arena_.copy(pairs[i].first);
            attributes[i].value = pairs[i].second;
            if (attributes[i].value.is_text()) {
                attributes[i].value = Value::of(arena_.copy(attributes[i].value.text()));
            }
        }
        return attributes;
    }

    Arena arena_;
    std::deque<ResourceView> resources_;
    std::deque<ScopeView> scopes_;
    std::deque<LogRecordView> logs_;
    std::vector<SpanView> spans_;
    ResourceView* resource_ = nullptr;
    ScopeView* scope_ = nullptr;
};

[[nodiscard]] inline Value text(std::string_view value) {
    return Value::of(value);
}

[[nodiscard]] inline Value number(std::int64_t value) {
    return Value::of(value);
}

}  // namespace spangate
