#include "route/dead_letter.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>
#include <vector>

#include "route/json_members.h"
#include "route/json_text.h"
#include "route/record_maker.h"

namespace spangate {
namespace {

constexpr std::size_t largest_keys_max = 8;

// Contract §3, in its order.
constexpr auto header_keys = std::to_array<std::string_view>({
    "schema_version", "event_id",       "event_class", "event_type",
    "timestamp",      "time_source",    "ts_received", "tenant_id",
    "session_id",     "session_source", "env",         "service_name",
    "agent_id",       "agent_name",     "workflow_id", "run_id",
    "user_ref",       "trace_id",       "span_id",     "parent_span_id",
    "gateway_id",     "gateway_epoch",  "gateway_seq", "source",
    "rules",          "digest_key_id",
});

// Objects of detail whose own members are worth naming.
constexpr auto opened_keys = std::to_array<std::string_view>({"attributes", "resource"});

struct KeySize {
    std::string name;  // as escaped in JSON
    std::size_t bytes = 0;
};

bool is_one_of(std::string_view key, const auto& keys) {
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

void append_raw(std::string& out, std::string_view key, std::string_view value) {
    out += out.size() > 1 ? ",\"" : "\"";
    out += key;
    out += "\":";
    out += value;
}

void append_text(std::string& out, std::string_view key, std::string_view text) {
    append_raw(out, key, {});
    append_json_string(out, text);
}

void append_header(std::string& out, const OutboundRecord& lost) {
    JsonMembers members(lost.value_view());
    while (members.next()) {
        if (is_one_of(members.key(), header_keys)) append_raw(out, members.key(), members.value());
    }
}

// Without the value's help.
void append_known_header(std::string& out, const OutboundRecord& lost) {
    append_raw(out, "schema_version", "1");
    append_text(out, "event_id", view(lost.event_id));
    append_text(out, "event_class", name_of(lost.event_class));
    append_text(out, "event_type", name_of(lost.event_type));
    append_text(out, "tenant_id", lost.tenant_id);
    append_text(out, "session_id", lost.key);
    if (lost.traceparent.size() >= 52) {  // 00-<32 hex>-<16 hex>-<2 hex>
        append_text(out, "trace_id", lost.traceparent.substr(3, 32));
        append_text(out, "span_id", lost.traceparent.substr(36, 16));
    }
    append_raw(out, "gateway_epoch", std::to_string(lost.gateway_epoch));
    append_raw(out, "gateway_seq", std::to_string(lost.gateway_seq));
    append_text(out, "source", name_of(lost.source));
}

void add_sizes(std::vector<KeySize>& sizes, std::string_view object, const std::string& prefix) {
    JsonMembers members(object);
    while (members.next()) {
        const bool is_opened = prefix.empty() && is_one_of(members.key(), opened_keys);
        if (is_opened) {
            add_sizes(sizes, members.value(), std::string(members.key()) + ".");
        } else if (!prefix.empty() || !is_one_of(members.key(), header_keys)) {
            sizes.push_back({prefix + std::string(members.key()), members.value().size()});
        }
    }
}

void append_largest_keys(std::string& out, const OutboundRecord& lost) {
    std::vector<KeySize> sizes;
    add_sizes(sizes, lost.value_view(), {});
    const std::size_t count = std::min(sizes.size(), largest_keys_max);
    std::partial_sort(
        sizes.begin(),
        sizes.begin() + static_cast<std::ptrdiff_t>(count),
        sizes.end(),
        [](const KeySize& a, const KeySize& b) { return a.bytes > b.bytes; }
    );
    sizes.resize(count);
    if (sizes.empty()) return;
    append_raw(out, "largest_keys", "[");
    for (const KeySize& size : sizes) {
        if (out.back() != '[') out += ',';
        out += "{\"key\":\"" + size.name + "\",\"bytes\":" + std::to_string(size.bytes) + "}";
    }
    out += ']';
}

}  // namespace

void write_dead_letter(
    std::string& out, EventEncoding encoding, const OutboundRecord& lost, std::string_view reason
) {
    // A wrapped data key has no header of its own and no keys to tell.
    const bool is_readable = encoding == EventEncoding::json && !lost.is_evidence_key;
    out = "{";
    if (is_readable) {
        append_header(out, lost);
    } else {
        append_known_header(out, lost);
    }
    append_text(out, "reason", reason);
    append_text(out, "class", name_of(lost.event_class));
    append_raw(out, "bytes", std::to_string(lost.value_bytes));
    if (is_readable) append_largest_keys(out, lost);
    out += '}';
}

OutboundRecord* DeadLetters::make_dead_letter(const OutboundRecord& lost, std::string_view reason) {
    const std::lock_guard lock(mutex_);
    write_dead_letter(scratch_, encoding_, lost, reason);
    OutboundRecord* record = make_record(
        slabs_,
        {{lost.tenant_id, lost.key}, lost.session_hash, nullptr, lost.timestamp_ms, scratch_, {}}
    );
    slabs_.finish();  // a rare record must not pin a slab for the next one
    record->event_class = lost.event_class;
    record->event_type =
        lost.event_type == EventType::gateway_gap ? EventType::other : lost.event_type;
    record->source = lost.source;
    record->event_id = lost.event_id;
    return record;
}

}  // namespace spangate
