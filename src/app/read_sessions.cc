#include "app/read_sessions.h"

#include <memory>
#include <utility>

#include "session/event_reader.h"
#include "timeline/story_reader.h"

namespace spangate {

Result<std::uint64_t> read_sessions(
    const ReadingPlace& place, const std::string& session_id, SessionLedger& ledger
) {
    constexpr std::size_t texts_bytes_max = std::size_t{1} << 20U;
    EventQuery query;
    query.session_id = session_id;
    Result<std::unique_ptr<EventReader>> reader = place.open(std::move(query));
    if (!reader) return tl::unexpected(std::move(reader.error()));
    StoryReader story;
    TextPool texts;
    StoredEvent stored;
    std::uint64_t damaged = 0;
    while (true) {
        const Result<ReadState> state = (*reader)->next(stored);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) break;
        if (*state != ReadState::event) continue;
        StoryEvent event;
        if (!story.read(stored, texts, event)) {
            ++damaged;
            continue;
        }
        const bool is_wanted = place.tenant_id.empty() || texts[event.tenant_id] == place.tenant_id;
        if (is_wanted) ledger.add(event, texts);
        if (texts.bytes() > texts_bytes_max) texts.clear();
    }
    return damaged + (*reader)->damaged();
}

std::string source_of(const ReadingPlace& place) {
    if (!place.directory.empty()) return place.directory;
    const KafkaConfig& kafka = place.config.exporters.kafka;
    std::string source = kafka.topics.operational + " on ";
    for (const std::string& broker : kafka.brokers)
        source += (source.back() == ' ' ? "" : ",") + broker;
    return source;
}

}  // namespace spangate
