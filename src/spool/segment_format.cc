#include "spool/segment_format.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/crc32c.h"
#include "spool/little_endian.h"

namespace spangate {
namespace {

constexpr std::string_view segment_magic = "SPANSEG\n";
constexpr std::string_view record_magic = "SREC";
constexpr std::string_view segment_suffix = ".segment";
constexpr std::size_t number_digits = 16;

// Where a segment header's fields stand.
namespace segment_at {
constexpr std::size_t checksum = 8;
constexpr std::size_t version = 12;
constexpr std::size_t reader_version_min = 14;
constexpr std::size_t record_header_bytes = 16;
constexpr std::size_t line = 18;
constexpr std::size_t number = 24;
constexpr std::size_t salt = 32;
}  // namespace segment_at

// Where a record header's fields stand.
namespace record_at {
constexpr std::size_t header_checksum = 4;
constexpr std::size_t body_checksum = 8;
constexpr std::size_t value_bytes = 12;
constexpr std::size_t kind = 16;
constexpr std::size_t event_class = 17;
constexpr std::size_t event_type = 18;
constexpr std::size_t source = 19;
constexpr std::size_t flags = 20;
constexpr std::size_t traceparent_bytes = 22;
constexpr std::size_t key_bytes = 24;
constexpr std::size_t tenant_bytes = 28;
constexpr std::size_t synced_bytes = 32;
constexpr std::size_t index = 36;
constexpr std::size_t timestamp_ms = 40;
constexpr std::size_t session_hash = 48;
constexpr std::size_t gateway_epoch = 56;
constexpr std::size_t gateway_seq = 64;
constexpr std::size_t event_id = 72;
}  // namespace record_at

constexpr std::uint8_t starts_event_flag = 1;
constexpr std::uint8_t is_evidence_key_flag = 2;

constexpr std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + record_alignment - 1) / record_alignment * record_alignment;
}

std::uint32_t checksum_of(std::uint64_t number, std::uint32_t before) {
    std::array<char, sizeof number> bytes{};
    store(bytes.data(), number);
    return crc32c({bytes.data(), bytes.size()}, before);
}

Result<SegmentHeader> decode_copy(std::string_view bytes) {
    const char* at = bytes.data();
    const bool is_whole =
        bytes.starts_with(segment_magic) &&
        crc32c(bytes.substr(segment_at::version)) == load<std::uint32_t>(at + segment_at::checksum);
    if (!is_whole) return fail(ErrorCode::io, "the segment's header is damaged");
    SegmentHeader header;
    header.version = load<std::uint16_t>(at + segment_at::version);
    header.reader_version_min = load<std::uint16_t>(at + segment_at::reader_version_min);
    header.record_header_bytes = load<std::uint16_t>(at + segment_at::record_header_bytes);
    const auto line = load<std::uint8_t>(at + segment_at::line);
    header.line = static_cast<SpoolLine>(line);
    header.number = load<std::uint64_t>(at + segment_at::number);
    header.salt = load<std::uint64_t>(at + segment_at::salt);
    const bool is_readable = header.reader_version_min <= segment_version &&
                             header.record_header_bytes >= record_header_bytes &&
                             header.record_header_bytes % record_alignment == 0 &&
                             line < spool_lines_count;
    if (!is_readable) {
        return fail(
            ErrorCode::unsupported,
            fmt::format(
                "the segment is of version {}, this program reads up to {}",
                header.version,
                segment_version
            )
        );
    }
    return header;
}

std::string_view take(std::string_view& from, std::size_t bytes) {
    const std::string_view front = from.substr(0, bytes);
    from.remove_prefix(bytes);
    return front;
}

void store_record(const SpoolRecord& record, char* at) {
    store<std::uint8_t>(at + record_at::event_class, static_cast<std::uint8_t>(record.event_class));
    store<std::uint8_t>(at + record_at::event_type, static_cast<std::uint8_t>(record.event_type));
    store<std::uint8_t>(at + record_at::source, static_cast<std::uint8_t>(record.source));
    const int flags = (record.starts_event ? starts_event_flag : 0) |
                      (record.is_evidence_key ? is_evidence_key_flag : 0);
    store<std::uint8_t>(at + record_at::flags, static_cast<std::uint8_t>(flags));
    store(at + record_at::timestamp_ms, static_cast<std::uint64_t>(record.timestamp_ms));
    store(at + record_at::session_hash, record.session_hash);
    store(at + record_at::gateway_epoch, record.gateway_epoch);
    store(at + record_at::gateway_seq, record.gateway_seq);
    std::copy(record.event_id.begin(), record.event_id.end(), at + record_at::event_id);
}

// False: a value that this program has no name for.
bool load_record(const char* at, SpoolRecord& record) {
    const auto event_class = load<std::uint8_t>(at + record_at::event_class);
    const auto event_type = load<std::uint8_t>(at + record_at::event_type);
    const auto source = load<std::uint8_t>(at + record_at::source);
    const auto flags = load<std::uint8_t>(at + record_at::flags);
    if (event_class >= event_classes_count || event_type >= event_types_count ||
        source >= event_source_names.size()) {
        return false;
    }
    record.event_class = static_cast<EventClass>(event_class);
    record.event_type = static_cast<EventType>(event_type);
    record.source = static_cast<EventSource>(source);
    record.starts_event = (flags & starts_event_flag) != 0;
    record.is_evidence_key = (flags & is_evidence_key_flag) != 0;
    record.timestamp_ms =
        static_cast<std::int64_t>(load<std::uint64_t>(at + record_at::timestamp_ms));
    record.session_hash = load<std::uint64_t>(at + record_at::session_hash);
    record.gateway_epoch = load<std::uint64_t>(at + record_at::gateway_epoch);
    record.gateway_seq = load<std::uint64_t>(at + record_at::gateway_seq);
    std::copy_n(at + record_at::event_id, record.event_id.size(), record.event_id.begin());
    return true;
}

void start_header(char* at, RecordKind kind, std::uint32_t index) {
    std::copy(record_magic.begin(), record_magic.end(), at);
    store<std::uint8_t>(at + record_at::kind, static_cast<std::uint8_t>(kind));
    store(at + record_at::index, index);
}

}  // namespace

std::string encode(const SegmentHeader& header) {
    std::string copy(segment_header_bytes, '\0');
    char* at = copy.data();
    std::copy(segment_magic.begin(), segment_magic.end(), at);
    store(at + segment_at::version, header.version);
    store(at + segment_at::reader_version_min, header.reader_version_min);
    store(at + segment_at::record_header_bytes, header.record_header_bytes);
    store<std::uint8_t>(at + segment_at::line, static_cast<std::uint8_t>(header.line));
    store(at + segment_at::number, header.number);
    store(at + segment_at::salt, header.salt);
    store(at + segment_at::checksum, crc32c(std::string_view(copy).substr(segment_at::version)));
    return copy + copy;
}

Result<SegmentHeader> decode_segment_header(std::string_view bytes) {
    if (bytes.size() < segment_start) return fail(ErrorCode::io, "the segment's header is cut");
    Result<SegmentHeader> first = decode_copy(bytes.substr(0, segment_header_bytes));
    if (first || first.error().code == ErrorCode::unsupported) return first;
    return decode_copy(bytes.substr(segment_header_bytes, segment_header_bytes));
}

SegmentFormat::SegmentFormat(const SegmentHeader& header)
    : seed_(checksum_of(header.salt, checksum_of(header.number, 0))),
      header_bytes_(header.record_header_bytes) {}

std::uint64_t SegmentFormat::record_bytes(std::uint64_t body_bytes) const {
    return header_bytes_ + aligned(body_bytes);
}

std::uint32_t SegmentFormat::header_checksum(std::string_view bytes, std::uint64_t offset) const {
    return crc32c(bytes.substr(record_at::body_checksum), checksum_of(offset, seed_));
}

void SegmentFormat::append_record(
    const SpoolRecord& record,
    std::uint32_t index,
    std::uint32_t synced_bytes,
    std::uint64_t offset,
    std::string& out
) const {
    const std::size_t start = out.size();
    out.resize(start + header_bytes_, '\0');
    out.append(record.tenant_id).append(record.key).append(record.traceparent).append(record.value);
    const std::size_t body_bytes = out.size() - start - header_bytes_;
    char* at = out.data() + start;
    start_header(at, RecordKind::record, index);
    store_record(record, at);
    store(at + record_at::tenant_bytes, static_cast<std::uint32_t>(record.tenant_id.size()));
    store(at + record_at::key_bytes, static_cast<std::uint32_t>(record.key.size()));
    store(at + record_at::traceparent_bytes, static_cast<std::uint16_t>(record.traceparent.size()));
    store(at + record_at::value_bytes, static_cast<std::uint32_t>(record.value.size()));
    store(at + record_at::synced_bytes, synced_bytes);
    store(at + record_at::body_checksum, crc32c({at + header_bytes_, body_bytes}, seed_));
    store(at + record_at::header_checksum, header_checksum({at, header_bytes_}, offset));
    out.resize(start + record_bytes(body_bytes), '\0');
}

void SegmentFormat::append_footer(
    std::uint32_t records_count, std::uint64_t offset, std::string& out
) const {
    const std::size_t start = out.size();
    out.resize(start + header_bytes_, '\0');
    char* at = out.data() + start;
    start_header(at, RecordKind::footer, records_count);
    store(at + record_at::synced_bytes, static_cast<std::uint32_t>(offset));
    store(at + record_at::header_checksum, header_checksum({at, header_bytes_}, offset));
}

bool SegmentFormat::may_start_at(const char* at) {
    return std::string_view(at, record_magic.size()) == record_magic;
}

bool SegmentFormat::decode_header(
    std::string_view bytes, std::uint64_t offset, RecordHeader& header
) const {
    if (bytes.size() < header_bytes_ || !bytes.starts_with(record_magic)) return false;
    const char* at = bytes.data();
    const std::string_view whole = bytes.substr(0, header_bytes_);
    if (header_checksum(whole, offset) != load<std::uint32_t>(at + record_at::header_checksum)) {
        return false;
    }
    const auto kind = load<std::uint8_t>(at + record_at::kind);
    header.kind = static_cast<RecordKind>(kind);
    header.index = load<std::uint32_t>(at + record_at::index);
    header.synced_bytes = load<std::uint32_t>(at + record_at::synced_bytes);
    header.body_checksum = load<std::uint32_t>(at + record_at::body_checksum);
    header.tenant_bytes = load<std::uint32_t>(at + record_at::tenant_bytes);
    header.key_bytes = load<std::uint32_t>(at + record_at::key_bytes);
    header.traceparent_bytes = load<std::uint16_t>(at + record_at::traceparent_bytes);
    header.value_bytes = load<std::uint32_t>(at + record_at::value_bytes);
    if (header.kind == RecordKind::footer) return true;
    return header.kind == RecordKind::record && header.body_bytes() <= record_body_bytes_max &&
           load_record(at, header.record);
}

bool SegmentFormat::decode_body(std::string_view body, RecordHeader& header) const {
    if (body.size() != header.body_bytes() || crc32c(body, seed_) != header.body_checksum) {
        return false;
    }
    header.record.tenant_id = take(body, header.tenant_bytes);
    header.record.key = take(body, header.key_bytes);
    header.record.traceparent = take(body, header.traceparent_bytes);
    header.record.value = take(body, header.value_bytes);
    return true;
}

std::string segment_name(std::uint64_t number) {
    return fmt::format("{:016x}{}", number, segment_suffix);
}

std::uint64_t segment_number(std::string_view file_name) {
    if (file_name.size() != number_digits + segment_suffix.size() ||
        !file_name.ends_with(segment_suffix)) {
        return 0;
    }
    std::uint64_t number = 0;
    for (const char digit : file_name.substr(0, number_digits)) {
        const bool is_decimal = digit >= '0' && digit <= '9';
        const bool is_letter = digit >= 'a' && digit <= 'f';
        if (!is_decimal && !is_letter) return 0;
        const int value = is_decimal ? digit - '0' : digit - 'a' + 10;
        number = number * 16 + static_cast<std::uint64_t>(value);
    }
    return number;
}

}  // namespace spangate
