#include "session/evidence_opener.h"

#include <utility>

namespace spangate {

Opening EvidenceOpener::open(const EvidenceRecord& chunk, std::string& text) {
    if (chunk.key_id.empty()) {
        text = chunk.payload;
        return Opening::opened;
    }
    auto known = keys_.find(chunk.key_id);
    if (known == keys_.end()) {
        const StoredDataKey* const stored = store_.find(chunk.key_id);
        if (stored == nullptr) return Opening::no_data_key;
        std::optional<AesKey> key;
        if (tenants_ != nullptr) key = unwrap(*stored, *tenants_);
        known = keys_.emplace(chunk.key_id, std::move(key)).first;
    }
    if (!known->second) return Opening::no_tenant_key;
    std::optional<std::string> opened = cipher_.open(
        *known->second, {chunk.tenant_id, chunk.event_id, chunk.index, chunk.count}, chunk.payload
    );
    if (!opened) return Opening::broken;
    text = std::move(*opened);
    return Opening::opened;
}

namespace {

struct Joining {
    EvidenceContent content;
    std::map<std::uint32_t, std::string> texts;
    std::uint32_t count = 0;
};

void add_chunk(const EvidenceRecord& chunk, EvidenceOpener& opener, Joining& joining) {
    joining.count = chunk.count;
    std::string text;
    const Opening opening = opener.open(chunk, text);
    if (opening != Opening::opened) joining.content.opening = opening;
    joining.texts.insert_or_assign(chunk.index, std::move(text));
}

}  // namespace

Result<std::vector<EvidenceContent>> read_evidence(EventReader& reader, EvidenceOpener& opener) {
    std::vector<Joining> found;
    std::map<std::pair<std::string, std::string>, std::size_t> places;  // event, commitment
    EvidenceRecordReader records;
    EvidenceRecord record;
    StoredEvent event;
    while (true) {
        const Result<ReadState> state = reader.next(event);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) break;
        if (*state == ReadState::nothing_yet || event.event_class != EventClass::evidence) continue;
        if (!records.read(event, record)) continue;
        const auto [place, is_new] = places.try_emplace(
            {record.tenant_id + '\0' + record.event_id, record.commitment}, found.size()
        );
        if (is_new) {
            EvidenceContent content;
            content.tenant_id = record.tenant_id;
            content.session_id = record.session_id;
            content.event_id = record.event_id;
            content.commitment = record.commitment;
            found.push_back({std::move(content), {}, 0});
        }
        add_chunk(record, opener, found[place->second]);
    }
    std::vector<EvidenceContent> contents;
    for (Joining& joining : found) {
        joining.content.is_whole = joining.texts.size() == joining.count;
        if (joining.content.opening == Opening::opened) {
            for (const auto& [index, text] : joining.texts)
                joining.content.parts_json += text;
        }
        contents.push_back(std::move(joining.content));
    }
    return contents;
}

}  // namespace spangate
