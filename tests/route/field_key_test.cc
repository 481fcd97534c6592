#include "route/field_key.h"

#include <array>
#include <set>
#include <string>

#include <catch2/catch.hpp>
#include <google/protobuf/descriptor.h>

#include "model/field.h"
#include "proto/spangate/v1/events.pb.h"

namespace spangate {
namespace {

template <std::size_t Count>
void check_keys(
    const google::protobuf::Descriptor& message, const std::array<FieldKey, Count>& keys
) {
    for (const FieldKey& key : keys) {
        INFO(key.name);
        const google::protobuf::FieldDescriptor* field =
            message.FindFieldByName(std::string(key.name));
        REQUIRE(field != nullptr);
        CHECK(field->number() == key.number);
    }
}

}  // namespace

TEST_CASE("detail and evidence are written under the numbers of events.proto, all of them") {
    constexpr int detail_first = 200;
    constexpr int key_id = 255;  // evidence is not encrypted in this version
    const google::protobuf::Descriptor& event = *v1::Event::descriptor();
    constexpr std::array keys = {
        key::name,
        key::kind,
        key::status_message,
        key::attributes,
        key::resource,
        key::events,
        key::links,
        key::scope,
        key::redaction,
        key::truncated,
        key::dropped_attributes,
        key::dropped_events,
        key::dropped_links,
        key::session_keys_seen,
        key::body,
        key::log_event_name,
        key::observed_ts,
        key::payload,
        key::chunk,
        key::chunks,
        key::salt,
        key::commitment,
        key::parts};
    check_keys(event, keys);
    check_keys(event, std::array{key::severity});
    std::size_t declared = 0;
    for (int i = 0; i < event.field_count(); ++i) {
        const int number = event.field(i)->number();
        if (number >= detail_first && number != key_id) ++declared;
    }
    CHECK(declared == keys.size());
}

TEST_CASE("headers are written under the numbers of events.proto") {
    check_keys(
        *v1::Event::descriptor(),
        std::array{
            key::schema_version,
            key::event_id,
            key::event_class,
            key::event_type,
            key::timestamp,
            key::time_source,
            key::ts_received,
            key::tenant_id,
            key::session_id,
            key::session_source,
            key::trace_id,
            key::span_id,
            key::parent_span_id,
            key::gateway_id,
            key::gateway_epoch,
            key::gateway_seq,
            key::source,
            key::rules,
            key::digest_key_id}
    );
}

TEST_CASE("every field of an event is found by its number") {
    const google::protobuf::Descriptor& event = *v1::Event::descriptor();
    check_keys(event, key::event_keys);
    std::set<int> known;
    for (const FieldKey& key : key::event_keys)
        known.insert(key.number);
    for (const FieldInfo& field : field_table)
        known.insert(field.number);
    CHECK(static_cast<int>(known.size()) == event.field_count());
}

TEST_CASE("the messages inside an event are written under their numbers") {
    check_keys(
        *v1::SpanEvent::descriptor(),
        std::array{key::event_name, key::event_time, key::event_attributes}
    );
    check_keys(
        *v1::SpanLink::descriptor(),
        std::array{key::link_trace_id, key::link_span_id, key::link_attributes}
    );
    check_keys(
        *v1::Scope::descriptor(),
        std::array{key::scope_name, key::scope_version, key::scope_attributes}
    );
    check_keys(*v1::Redaction::descriptor(), std::array{key::ruleset, key::counts});
}

}  // namespace spangate
