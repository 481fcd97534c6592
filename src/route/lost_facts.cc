#include "route/lost_facts.h"

#include <algorithm>
#include <array>

namespace spangate {
namespace {

constexpr auto header_keys = std::to_array<std::string_view>({
    "schema_version", "event_id",       "event_class", "event_type",
    "timestamp",      "time_source",    "ts_received", "tenant_id",
    "session_id",     "session_source", "env",         "service_name",
    "agent_id",       "agent_name",     "workflow_id", "run_id",
    "user_ref",       "trace_id",       "span_id",     "parent_span_id",
    "gateway_id",     "gateway_epoch",  "gateway_seq", "source",
    "rules",          "digest_key_id",
});

constexpr auto opened_keys = std::to_array<std::string_view>({"attributes", "resource"});

// Never within an escape or a character.
void cut(std::string& name) {
    if (name.size() <= key_name_bytes_max) return;
    std::size_t end = 0;
    for (std::size_t next = 0; next <= key_name_bytes_max;) {
        end = next;
        if (name[next] == '\\') {
            next += name[next + 1] == 'u' ? 6 : 2;
        } else {
            ++next;
        }
        while (next < name.size() && (static_cast<unsigned char>(name[next]) & 0xC0U) == 0x80U)
            ++next;
    }
    name.resize(end);
}

}  // namespace

bool is_header_key(std::string_view key) {
    return std::find(header_keys.begin(), header_keys.end(), key) != header_keys.end();
}

bool is_opened_key(std::string_view key) {
    return std::find(opened_keys.begin(), opened_keys.end(), key) != opened_keys.end();
}

LostFacts lost_facts(std::string_view value) {
    LostFacts facts = value.starts_with('{') ? lost_facts_json(value) : lost_facts_protobuf(value);
    if (facts.header.find("\"event_id\":") == std::string::npos) return {};
    for (KeySize& size : facts.key_sizes)
        cut(size.name);
    return facts;
}

}  // namespace spangate
