#include "session/event_fields.h"

#include <simdjson.h>

#include "base/text.h"

namespace spangate {

struct EventFields::State {
    simdjson::dom::parser parser;
    simdjson::dom::object object;
};

EventFields::EventFields() : state_(std::make_unique<State>()) {}

EventFields::~EventFields() = default;
EventFields::EventFields(EventFields&&) noexcept = default;
EventFields& EventFields::operator=(EventFields&&) noexcept = default;

bool EventFields::parse(std::string_view json) {
    return state_->parser.parse(json.data(), json.size()).get(state_->object) == simdjson::SUCCESS;
}

std::string_view EventFields::text(std::string_view name) const {
    std::string_view text;
    if (state_->object.at_key(name).get(text) != simdjson::SUCCESS) return {};
    return text;
}

std::optional<std::int64_t> EventFields::integer(std::string_view name) const {
    std::int64_t number = 0;
    if (state_->object.at_key(name).get(number) != simdjson::SUCCESS) return std::nullopt;
    return number;
}

std::optional<double> EventFields::real(std::string_view name) const {
    double number = 0;
    if (state_->object.at_key(name).get(number) != simdjson::SUCCESS) return std::nullopt;
    return number;
}

std::optional<WallNanos> EventFields::time(std::string_view name) const {
    const std::string_view written = text(name);
    if (written.empty()) return std::nullopt;
    return from_rfc3339(written);
}

bool EventFields::has(std::string_view name) const {
    return state_->object.at_key(name).error() == simdjson::SUCCESS;
}

}  // namespace spangate
