#include "session/evidence_key_store.h"

#include <optional>
#include <set>
#include <utility>

#include "base/text.h"
#include "session/kafka_connect.h"
#include "session/line_file.h"

namespace spangate {
namespace {

constexpr int poll_interval_ms = 100;
constexpr std::uint32_t quiet_polls_max = 300;  // half a minute
constexpr std::string_view file_name = "/evidence-keys.jsonl";

}  // namespace

Result<EvidenceKeyStore> EvidenceKeyStore::read(const KafkaConfig& config) {
    Result<KafkaHandle> handle = connect_reader(config);
    if (!handle) return tl::unexpected(std::move(handle.error()));
    const std::string& name = config.topics.evidence_keys;
    const Result<std::int32_t> count = assign_topic(handle->get(), name, RD_KAFKA_OFFSET_BEGINNING);
    if (!count) return tl::unexpected(count.error());
    EvidenceKeyStore store;
    std::set<std::int32_t> ended;
    std::uint32_t quiet_polls = 0;
    while (ended.size() < static_cast<std::size_t>(*count)) {
        const KafkaMessage message(rd_kafka_consumer_poll(handle->get(), poll_interval_ms));
        if (message == nullptr) {
            if (++quiet_polls < quiet_polls_max) continue;
            return fail(
                ErrorCode::unavailable, "the brokers went silent before the end of " + name
            );
        }
        quiet_polls = 0;
        switch (message->err) {
            case RD_KAFKA_RESP_ERR_NO_ERROR:
                store.add(
                    kafka_text(message->key, message->key_len),
                    kafka_text(message->payload, message->len),
                    kafka_timestamp(*message)
                );
                break;
            case RD_KAFKA_RESP_ERR__PARTITION_EOF:
                ended.insert(message->partition);
                break;
            case RD_KAFKA_RESP_ERR__TRANSPORT:
            case RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN:
                break;  // librdkafka goes on trying
            default:
                return kafka_failure("read " + name, message->err);
        }
    }
    return store;
}

Result<EvidenceKeyStore> EvidenceKeyStore::read(const std::string& directory) {
    Result<LineFile> file = LineFile::open(directory + std::string(file_name));
    if (!file) return tl::unexpected(std::move(file.error()));
    EvidenceKeyStore store;
    EventFields fields;
    std::string line;
    while (true) {
        const Result<bool> read = file->next(line);
        if (!read) return tl::unexpected(read.error());
        if (!*read) return store;
        if (line.empty()) continue;
        // A line that was erased has no `wrapped`.
        if (!fields.parse(line)) {
            ++store.damaged_;
            continue;
        }
        const std::string key_id(fields.text("key_id"));
        store.add(key_id, fields.text("wrapped").empty() ? std::string_view() : line);
    }
}

void EvidenceKeyStore::add(std::string_view key_id, std::string_view value, WallNanos stored_at) {
    if (value.empty()) {
        if (const auto known = keys_.find(key_id); known != keys_.end()) keys_.erase(known);
        if (stored_at > 0) erased_.emplace(key_id, stored_at);
        return;
    }
    const bool is_object = fields_.parse(value);
    const std::optional<KeyScope> per =
        is_object ? key_scope_from(fields_.text("per")) : std::nullopt;
    std::optional<std::string> wrapped;
    if (is_object) wrapped = from_base64(fields_.text("wrapped"));
    if (!per || !wrapped || key_id.empty() || fields_.text("key_id") != key_id) {
        ++damaged_;
        return;
    }
    StoredDataKey key;
    key.key_id = key_id;
    key.tenant_id = fields_.text("tenant_id");
    key.per = *per;
    key.subject = fields_.text("subject");
    key.wrapped = std::move(*wrapped);
    key.wrapping_key_id = fields_.text("wrapping_key_id");
    key.created = fields_.time("created").value_or(0);
    keys_.insert_or_assign(key.key_id, std::move(key));
}

const StoredDataKey* EvidenceKeyStore::find(std::string_view key_id) const {
    const auto at = keys_.find(key_id);
    return at == keys_.end() ? nullptr : &at->second;
}

std::optional<WallNanos> EvidenceKeyStore::erased_at(std::string_view key_id) const {
    const auto at = erased_.find(key_id);
    if (at == erased_.end()) return std::nullopt;
    return at->second;
}

std::vector<const StoredDataKey*> EvidenceKeyStore::of(
    std::string_view tenant_id, KeyScope per, std::string_view subject
) const {
    std::vector<const StoredDataKey*> found;
    for (const auto& [id, key] : keys_) {
        const bool is_wanted =
            key.tenant_id == tenant_id && key.per == per && key.subject == subject;
        if (is_wanted) found.push_back(&key);
    }
    return found;
}

std::vector<const StoredDataKey*> EvidenceKeyStore::of(std::string_view tenant_id) const {
    std::vector<const StoredDataKey*> found;
    for (const auto& [id, key] : keys_) {
        if (key.tenant_id == tenant_id) found.push_back(&key);
    }
    return found;
}

}  // namespace spangate
