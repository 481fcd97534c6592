#include "redact/evidence_writer.h"

#include <algorithm>
#include <cstring>

#include "base/text.h"
#include "redact/json_tokens.h"
#include "redact/value_json.h"

namespace spangate {
namespace {

constexpr std::size_t scratch_bytes_kept_max = 1U << 20;

std::string_view media_type(const Value& value) {
    if (!value.is_text()) return "application/json";
    const std::string_view text = value.text();
    const std::size_t first = text.find_first_not_of(" \t\r\n");
    const bool looks_like_json =
        first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
    return looks_like_json ? "application/json" : "text/plain";
}

}  // namespace

void EvidenceParts::add(std::string_view key, ContentRole role, const Value& value) {
    if (!json_.empty()) json_ += ',';
    json_ += "{\"key\":\"";
    append_json_escaped(key, json_);
    json_ += "\",\"role\":\"";
    json_ += name_of(role);
    json_ += "\",\"media_type\":\"";
    json_ += media_type(value);
    json_ += "\",\"content\":\"";
    append_json_escaped(value_text(value, scratch_), json_);
    json_ += "\"}";
}

void EvidenceParts::add_parts(std::string_view json) {
    if (json.empty()) return;
    if (!json_.empty()) json_ += ',';
    json_ += json;
}

void EvidenceParts::trim() {
    if (json_.capacity() > scratch_bytes_kept_max) json_ = std::string();
    if (scratch_.capacity() > scratch_bytes_kept_max) scratch_ = std::string();
}

void EvidenceWriter::take_salt(std::array<std::uint8_t, salt_bytes>& salt) {
    if (salts_left_ == 0) {
        fill_random(salts_);
        salts_left_ = salts_count;
    }
    --salts_left_;
    std::uint8_t* const taken = salts_.data() + salts_left_ * salt_bytes;
    std::memcpy(salt.data(), taken, salt_bytes);
    std::memset(taken, 0, salt_bytes);
}

EvidencePayload EvidenceWriter::write(
    const EvidenceParts& parts, const EventId& event_id, Arena& arena
) {
    const std::size_t bytes = parts.json().size() + 2;
    const std::span<char> json = arena.make_array<char>(bytes);
    json.front() = '[';
    std::memcpy(json.data() + 1, parts.json().data(), parts.json().size());
    json.back() = ']';

    EvidencePayload payload;
    payload.parts_json = {json.data(), json.size()};
    payload.chunk_bytes =
        static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, chunk_bytes_max_));
    payload.chunks =
        static_cast<std::uint32_t>((bytes + payload.chunk_bytes - 1) / payload.chunk_bytes);
    take_salt(payload.salt);

    root_hash_.add("spangate/evidence-root/1").add_byte(0);
    for (std::uint32_t i = 0; i < payload.chunks; ++i) {
        const std::size_t from = std::size_t{i} * payload.chunk_bytes;
        chunk_hash_.add("spangate/evidence/1").add_byte(0).add(view(event_id));
        chunk_hash_.add_u32be(i).add_u32be(payload.chunks).add(payload.salt);
        chunk_hash_.add(payload.parts_json.substr(from, payload.chunk_bytes));
        root_hash_.add(chunk_hash_.finish());
    }
    write_hex(root_hash_.finish(), payload.commitment.data());
    return payload;
}

}  // namespace spangate
