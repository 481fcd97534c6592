#include <algorithm>
#include <bit>
#include <cstring>

#include "base/text.h"
#include "interpret/span_reader.h"

namespace spangate {
namespace {

constexpr std::string_view record_domain = "spangate/log/1";
constexpr std::size_t body_name_bytes_max = 128;  // a longer text is no name
constexpr std::string_view event_name_key = "event.name";

bool is_a_name(const Value& body) {
    return body.is_text() && body.size <= body_name_bytes_max &&
           body.text().find_first_of(" \t\r\n") == std::string_view::npos;
}

// The record's name for entries that know no convention's own list.
std::string_view plain_name_of(const SpanView& record) {
    if (!record.log->event_name.empty()) return record.log->event_name;
    for (const Attribute& attribute : record.attributes) {
        if (attribute.key == event_name_key && attribute.value.is_text()) {
            return attribute.value.text();
        }
    }
    return {};
}

}  // namespace

// Empty: the record has no such name.
std::string_view SpanReader::name_from(
    const SpanView& record, const EventNameSource& from, bool with_prefix
) {
    std::string_view name;
    const LogRecordView& log = *record.log;
    switch (from.from) {
        case EventNameSource::From::event_name:
            name = log.event_name;
            break;
        case EventNameSource::From::body:
            if (is_a_name(log.body.value)) name = log.body.value.text();
            break;
        case EventNameSource::From::key:
            if (const Value* value = attributes_.find(from.key); value && value->is_text()) {
                name = value->text();
            }
            break;
    }
    const std::string_view prefix = from.add_prefix;
    if (name.empty() || prefix.empty() || !with_prefix || name.starts_with(prefix)) return name;
    char* whole = static_cast<char*>(arena_->allocate(prefix.size() + name.size(), 1));
    std::memcpy(whole, prefix.data(), prefix.size());
    std::memcpy(whole + prefix.size(), name.data(), name.size());
    return {whole, prefix.size() + name.size()};
}

std::string_view SpanReader::name_of_record(const SpanView& record, const Convention& convention) {
    if (convention.event_name_from.empty()) return record_name_;
    for (const EventNameSource& from : convention.event_name_from) {
        const std::string_view name = name_from(record, from, true);
        if (!name.empty()) return name;
    }
    return {};
}

// Names count here as they were sent: with a prefix put before it, any record would seem to be of
// the convention that puts it.
ConventionMask SpanReader::holding_record(const SpanView& record) {
    ConventionMask mask =
        table_.always | resource_detects_ | scope_detects_ | attributes_.detects();
    for (ConventionMask rest = table_.with_residue & ~mask; rest != 0; rest &= rest - 1) {
        const auto index = static_cast<std::size_t>(std::countr_zero(rest));
        const Convention& convention = table_.conventions[index];
        event_names_.clear();
        if (convention.event_name_from.empty()) event_names_.push_back(record_name_);
        for (const EventNameSource& from : convention.event_name_from) {
            event_names_.push_back(name_from(record, from, false));
        }
        const ConditionScope scope{table_, record, attributes_, resource_, event_names_};
        if (holds(scope, convention.detect)) mask |= ConventionMask{1} << index;
    }
    return mask;
}

const Rule* SpanReader::match_record(const SpanView& record, std::uint32_t& convention) {
    for (ConventionMask rest = holding_; rest != 0; rest &= rest - 1) {
        convention = static_cast<std::uint32_t>(std::countr_zero(rest));
        const Convention& candidate = table_.conventions[convention];
        if (candidate.log_rules.empty()) continue;
        event_names_.clear();
        event_names_.push_back(name_of_record(record, candidate));
        const ConditionScope scope{table_, record, attributes_, resource_, event_names_};
        for (const Rule& rule : candidate.log_rules) {
            if (holds(scope, rule.when)) return &rule;
        }
    }
    convention = table_.fallback;
    return nullptr;
}

void SpanReader::look_at_record(Draft& draft) {
    record_name_ = plain_name_of(*draft.span);
    draft.record_digest = record_digests_.digest_of(*draft.span, *arena_);
}

EventId SpanReader::record_event_id(const Draft& draft, std::string_view slot) const {
    const Sha256Digest& record = *draft.record_digest;
    const std::array<std::string_view, 4> pieces = {
        record_domain,
        std::string_view("\0", 1),
        {reinterpret_cast<const char*>(record.data()), record.size()},  // NOLINT: bytes as bytes
        slot};
    const Sha256Digest digest = hash_key_.hmac(pieces);
    EventId id;
    write_hex(std::span(digest).first(id.size() / 2), id.data());
    return id;
}

}  // namespace spangate
