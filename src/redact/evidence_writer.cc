#include "redact/evidence_writer.h"

#include <algorithm>
#include <cstring>
#include <utility>

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

// Fills `out` with the bytes of "[" parts "]" from `from` on.
void copy_bracketed(std::string_view parts, std::size_t from, std::span<char> out) {
    std::size_t done = 0;
    if (from == 0 && !out.empty()) out[done++] = '[';
    const std::size_t at = from == 0 ? 0 : from - 1;  // of `parts`
    const std::size_t copied =
        std::min(out.size() - done, parts.size() - std::min(at, parts.size()));
    if (copied > 0) std::memcpy(out.data() + done, parts.data() + at, copied);
    done += copied;
    if (done < out.size()) out[done] = ']';
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

void EvidenceWriter::seal_with(std::shared_ptr<EvidenceKeys> keys, Metrics& metrics) {
    keys_ = std::move(keys);
    kept_keys_.clear();
    withheld_ = &metrics.counter(
        "spangate_evidence_withheld_total",
        "Evidence that was not made, because evidence is encrypted and its tenant has no key."
    );
    keys_used_ = &metrics.counter(
        "spangate_evidence_data_keys_total",
        "Data keys that lanes took into use; one key may count once a lane."
    );
}

// A record is its payload in base64 (4/3), its other fields, and in clear the parts once more; so
// 3/7 of the limit hold all of it, whatever the encoding.
std::uint64_t EvidenceWriter::chunk_bytes() const {
    constexpr std::uint64_t other_fields_bytes = 8 * 1024;
    constexpr std::uint64_t least = 1024;
    const std::uint64_t limit =
        limits_ == nullptr ? 0 : limits_->evidence_bytes.load(std::memory_order_relaxed);
    if (limit == 0) return chunk_bytes_max_;
    const std::uint64_t room = limit > other_fields_bytes ? limit - other_fields_bytes : 0;
    return std::clamp(room / 7 * 3, least, std::max(least, chunk_bytes_max_));
}

// Steady state: a look into this lane's own map, without a lock and without the heap.
DataKey* EvidenceWriter::key_for(const EvidenceOwner& owner) {
    KeyScope scope = keys_->per();
    // Content of nobody known is erased with its session.
    if (scope == KeyScope::user && owner.user_ref.empty()) scope = KeyScope::session;
    const std::string_view subject = scope == KeyScope::tenant    ? owner.tenant_id
                                     : scope == KeyScope::session ? owner.session_id
                                                                  : owner.user_ref;
    name_.clear();
    EvidenceKeys::append_name(scope, owner.tenant_id, subject, name_);
    const auto kept = kept_keys_.find(name_);
    if (kept != kept_keys_.end() && !kept->second->is_spent(owner.received_at)) {
        return kept->second.get();
    }
    std::shared_ptr<DataKey> key =
        keys_->key_for(scope, owner.tenant_id, subject, owner.received_at);
    if (key == nullptr) return nullptr;
    keys_used_->add();
    if (kept_keys_.size() >= keys_kept_max) kept_keys_.clear();
    return kept_keys_.insert_or_assign(name_, std::move(key)).first->second.get();
}

// Every chunk has its text put into its place and is sealed there: one copy, as in clear.
void EvidenceWriter::seal(
    std::string_view parts, const EvidenceOwner& owner, Arena& arena, EvidencePayload& payload
) {
    DataKey* const key = key_for(owner);
    if (key == nullptr) {
        withheld_->add();
        return;
    }
    const std::size_t text_bytes = payload.chunk_bytes;
    const std::span<char> sealed =
        arena.make_array<char>(parts.size() + 2 + std::size_t{payload.chunks} * seal_bytes);
    const std::uint64_t first_nonce = key->take_nonces(payload.chunks);
    std::size_t from = 0;  // of "[" parts "]"
    std::size_t at = 0;    // of `sealed`
    for (std::uint32_t i = 0; i < payload.chunks; ++i) {
        const std::size_t bytes = std::min(text_bytes, parts.size() + 2 - from);
        const std::span<char> room = sealed.subspan(at, bytes + seal_bytes);
        copy_bracketed(parts, from, room.subspan(AesGcm::nonce_size, bytes));
        cipher_.seal(
            key->key(),
            first_nonce + i,
            {owner.tenant_id, view(owner.event_id), i, payload.chunks},
            room
        );
        from += bytes;
        at += room.size();
    }
    payload.sealed_chunks = {sealed.data(), sealed.size()};
    payload.chunk_bytes += static_cast<std::uint32_t>(seal_bytes);
    payload.key_id = arena.copy(key->id());
    if (!key->record()->is_stored.load(std::memory_order_relaxed)) {
        payload.key_record = key->record();
    }
}

EvidencePayload EvidenceWriter::write(
    const EvidenceParts& parts, const EvidenceOwner& owner, Arena& arena
) {
    const std::size_t bytes = parts.json().size() + 2;
    EvidencePayload payload;
    payload.chunk_bytes = static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, chunk_bytes()));
    payload.chunks =
        static_cast<std::uint32_t>((bytes + payload.chunk_bytes - 1) / payload.chunk_bytes);
    if (keys_ != nullptr) {
        seal(parts.json(), owner, arena, payload);
        if (payload.empty()) return payload;
    } else {
        const std::span<char> json = arena.make_array<char>(bytes);
        copy_bracketed(parts.json(), 0, json);
        payload.parts_json = {json.data(), json.size()};
    }
    take_salt(payload.salt);
    commit(owner.event_id, payload);
    return payload;
}

void EvidenceWriter::commit(const EventId& event_id, EvidencePayload& payload) {
    root_hash_.add("spangate/evidence-root/1").add_byte(0);
    for (std::uint32_t i = 0; i < payload.chunks; ++i) {
        const std::size_t from = std::size_t{i} * payload.chunk_bytes;
        chunk_hash_.add("spangate/evidence/1").add_byte(0).add(view(event_id));
        chunk_hash_.add_u32be(i).add_u32be(payload.chunks).add(payload.salt);
        chunk_hash_.add(payload.bytes().substr(from, payload.chunk_bytes));
        root_hash_.add(chunk_hash_.finish());
    }
    write_hex(root_hash_.finish(), payload.commitment.data());
}

}  // namespace spangate
