#include "interpret/record_digest.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace spangate {
namespace {

std::string_view bytes_of(const Sha256Digest& digest) {
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};  // NOLINT: bytes as bytes
}

std::string_view bytes_of(std::span<const std::uint8_t> id) {
    return {reinterpret_cast<const char*>(id.data()), id.size()};  // NOLINT: bytes as bytes
}

}  // namespace

void RecordDigests::begin() {
    resource_ = nullptr;
    scope_ = nullptr;
    seen_.clear();
}

void RecordDigests::begin_request() {
    if (!seen_.empty()) seen_.clear();
}

void RecordDigests::add_number(std::uint64_t number) {
    for (int shift = 56; shift >= 0; shift -= 8) {
        text_.push_back(static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU));
    }
}

void RecordDigests::add_text(std::string_view text) {
    add_number(text.size());
    text_.append(text);
}

void RecordDigests::add_value(const Value& value, Arena& arena) {
    text_.push_back(static_cast<char>(value.kind));
    switch (value.kind) {
        case ValueKind::empty:
            return;
        case ValueKind::string:
        case ValueKind::bytes:
            return add_text(value.text());
        case ValueKind::boolean:
            text_.push_back(value.boolean ? '\1' : '\0');
            return;
        case ValueKind::integer:
            return add_number(static_cast<std::uint64_t>(value.integer));
        case ValueKind::real: {
            // One NaN and one zero, whatever their bits are.
            double real = value.real == 0 ? 0.0 : value.real;
            if (std::isnan(real)) real = std::numeric_limits<double>::quiet_NaN();
            return add_number(std::bit_cast<std::uint64_t>(real));
        }
        case ValueKind::array:
            add_number(value.size);
            for (const Value& item : value.array())
                add_value(item, arena);
            return;
        case ValueKind::kvlist:
            return add_attributes(value.kvlist(), arena);
    }
}

void RecordDigests::add_attributes(std::span<const Attribute> attributes, Arena& arena) {
    const std::span<const Attribute*> sorted =
        arena.make_array<const Attribute*>(attributes.size());
    for (std::size_t i = 0; i < attributes.size(); ++i)
        sorted[i] = &attributes[i];
    // Equal keys keep their order; pointers into one list compare by place.
    std::sort(sorted.begin(), sorted.end(), [](const Attribute* a, const Attribute* b) {
        return a->key != b->key ? a->key < b->key : a < b;
    });
    add_number(sorted.size());
    for (const Attribute* attribute : sorted) {
        add_text(attribute->key);
        add_value(attribute->value, arena);
    }
}

Sha256Digest RecordDigests::hash_of_text() {
    const Sha256Digest digest = hasher_.add(text_).finish();
    text_.clear();
    return digest;
}

const Sha256Digest* RecordDigests::digest_of(const SpanView& record, Arena& arena) {
    if (resource_ != record.resource) {
        resource_ = record.resource;
        add_attributes(resource_->attributes, arena);
        resource_digest_ = hash_of_text();
    }
    if (scope_ != record.scope) {
        scope_ = record.scope;
        add_text(scope_->name);
        add_text(scope_->version);
        add_attributes(scope_->attributes, arena);
        scope_digest_ = hash_of_text();
    }
    const LogRecordView& log = *record.log;
    text_.append(bytes_of(resource_digest_));
    text_.append(bytes_of(scope_digest_));
    add_number(record.start_unix_nano);
    add_number(log.observed_unix_nano);
    add_number(static_cast<std::uint64_t>(log.severity_number));
    add_text(log.severity_text);
    add_text(log.event_name);
    add_value(log.body.value, arena);
    add_attributes(record.attributes, arena);
    text_.append(bytes_of(std::span<const std::uint8_t>(record.trace_id)));
    text_.append(bytes_of(std::span<const std::uint8_t>(record.span_id)));
    add_number(record.flags);
    auto* digest = arena.make<Sha256Digest>(hash_of_text());
    const std::uint32_t before = seen_[bytes_of(*digest)]++;
    if (before == 0) return digest;
    text_.append(bytes_of(*digest));
    add_number(before);
    return arena.make<Sha256Digest>(hash_of_text());
}

}  // namespace spangate
