// One span or log record as a convention's documentation shows it, and what has to come of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "support/interpret_context.h"
#include "support/span_builder.h"

namespace spangate {

struct ConventionCase {
    std::string_view convention{};
    std::string_view scope{};
    std::string_view service{};
    std::string_view name{};  // of the span, or the log record's event name
    bool is_log = false;
    bool is_root = false;
    SpanBuilder::Pairs attributes{};
    std::string_view types{};
    std::vector<std::pair<FieldId, std::string_view>> fields{};
    std::vector<std::string_view> content{};
};

inline void check_cases(const std::vector<ConventionCase>& cases) {
    for (const ConventionCase& wanted : cases) {
        INFO(wanted.convention << ": " << wanted.name);
        SpanBuilder builder;
        builder.scope(wanted.scope);
        if (!wanted.service.empty()) builder.resource({{"service.name", text(wanted.service)}});
        if (wanted.is_log) {
            builder.log(wanted.name, 3, wanted.attributes);
        } else {
            builder.span(wanted.name, 3, wanted.is_root ? 0 : 9, wanted.attributes);
        }
        InterpretContext context;
        const EventBatch& batch = context.interpret(builder.spans());
        REQUIRE(batch.items.size() == 1);
        const AgentItem& item = batch.items[0];
        CHECK(types_of(item) == wanted.types);
        for (const auto& [field, value] : wanted.fields) {
            INFO(info(field).name);
            std::string found;
            for (const AgentEvent& event : item.events) {
                if (found.empty()) found = text_on(event, field);
            }
            CHECK(found == value);
        }
        for (const std::string_view key : wanted.content) {
            INFO(key);
            bool is_content = false;
            for (const Attribute& attribute : item.span->attributes) {
                if (attribute.key == key) is_content = attribute.treatment == Treatment::content;
            }
            CHECK(is_content);
        }
    }
}

}  // namespace spangate
