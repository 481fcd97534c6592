#include "route/dead_letter.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "route/json_text.h"
#include "route/lost_facts.h"
#include "route/record_maker.h"

namespace spangate {
namespace {

constexpr std::size_t largest_keys_max = 8;

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

void append_largest_keys(std::string& out, std::vector<KeySize> sizes) {
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

void write_dead_letter(std::string& out, const OutboundRecord& lost, std::string_view reason) {
    // A wrapped data key has no header of its own and no keys to tell.
    LostFacts facts = lost.is_evidence_key ? LostFacts{} : lost_facts(lost.value_view());
    out = "{";
    if (facts.header.empty()) {
        append_known_header(out, lost);
    } else {
        out += facts.header;
    }
    append_text(out, "reason", reason);
    append_text(out, "class", name_of(lost.event_class));
    append_raw(out, "bytes", std::to_string(lost.value_bytes));
    append_largest_keys(out, std::move(facts.key_sizes));
    out += '}';
}

OutboundRecord* DeadLetters::make_dead_letter(const OutboundRecord& lost, std::string_view reason) {
    const std::lock_guard lock(mutex_);
    write_dead_letter(scratch_, lost, reason);
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
