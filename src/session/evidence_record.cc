#include "session/evidence_record.h"

#include <optional>
#include <utility>

#include <protozero/pbf_reader.hpp>

#include "base/text.h"
#include "model/field.h"

namespace spangate {
namespace {

// Numbers of proto/spangate/v1/events.proto that are not in model/field.h.
enum : protozero::pbf_tag_type {
    event_id_number = 2,
    tenant_id_number = 8,
    session_id_number = 9,
    payload_number = 250,
    chunk_number = 251,
    chunks_number = 252,
    salt_number = 253,
    commitment_number = 254,
    key_id_number = 255,
};

void read_field(protozero::pbf_reader& reader, EvidenceRecord& record, std::string& primary_id) {
    const protozero::pbf_tag_type tag = reader.tag();
    if (tag == info(FieldId::evidence_commitment).number) {
        if (record.event_class != EventClass::evidence)
            record.commitment = reader.get_string();
        else
            reader.skip();
        return;
    }
    if (tag == info(FieldId::primary_event_id).number) {
        primary_id = reader.get_string();
        return;
    }
    switch (tag) {
        case event_id_number:
            record.event_id = reader.get_string();
            return;
        case tenant_id_number:
            record.tenant_id = reader.get_string();
            return;
        case session_id_number:
            record.session_id = reader.get_string();
            return;
        case payload_number:
            record.payload = reader.get_bytes();
            return;
        case chunk_number:
            record.index = reader.get_uint32();
            return;
        case chunks_number:
            record.count = reader.get_uint32();
            return;
        case salt_number:
            record.salt = reader.get_bytes();
            return;
        case commitment_number:
            record.commitment = reader.get_string();
            return;
        case key_id_number:
            record.key_id = reader.get_string();
            return;
        default:
            reader.skip();
    }
}

bool read_protobuf(std::string_view value, EvidenceRecord& record) {
    std::string primary_id;
    try {
        protozero::pbf_reader reader(value.data(), value.size());
        while (reader.next())
            read_field(reader, record, primary_id);
    } catch (const protozero::exception&) {
        return false;
    }
    if (!primary_id.empty()) record.event_id = std::move(primary_id);
    return true;
}

bool is_whole(const EvidenceRecord& record) {
    if (record.event_id.empty() || record.tenant_id.empty()) return false;
    if (record.event_class != EventClass::evidence) return true;
    return record.count > 0 && record.index < record.count && !record.salt.empty() &&
           !record.payload.empty() && !record.commitment.empty();
}

}  // namespace

Sha256Digest EvidenceRecord::leaf(Sha256& hasher) const {
    hasher.add("spangate/evidence/1").add_byte(0).add(event_id);
    hasher.add_u32be(index).add_u32be(count).add(salt).add(payload);
    return hasher.finish();
}

bool EvidenceRecordReader::read(const StoredEvent& event, EvidenceRecord& record) {
    record = EvidenceRecord{};
    record.event_class = event.event_class;
    const bool is_read =
        event.is_json ? read_json(event.value, record) : read_protobuf(event.value, record);
    return is_read && is_whole(record);
}

bool EvidenceRecordReader::read_json(std::string_view value, EvidenceRecord& record) {
    if (!fields_.parse(value)) return false;
    record.tenant_id = fields_.text("tenant_id");
    record.session_id = fields_.text("session_id");
    const std::string_view primary_id = fields_.text("primary_event_id");
    record.event_id = primary_id.empty() ? fields_.text("event_id") : primary_id;
    if (record.event_class != EventClass::evidence) {
        record.commitment = fields_.text("evidence_commitment");
        return true;
    }
    record.event_id = fields_.text("event_id");
    record.commitment = fields_.text("commitment");
    record.key_id = fields_.text("key_id");
    const std::int64_t index = fields_.integer("chunk").value_or(-1);
    const std::int64_t count = fields_.integer("chunks").value_or(-1);
    std::optional<std::string> salt = from_base64(fields_.text("salt"));
    std::optional<std::string> payload = from_base64(fields_.text("payload"));
    if (index < 0 || count < 0 || count > UINT32_MAX || !salt || !payload) return false;
    record.index = static_cast<std::uint32_t>(index);
    record.count = static_cast<std::uint32_t>(count);
    record.salt = std::move(*salt);
    record.payload = std::move(*payload);
    return true;
}

}  // namespace spangate
