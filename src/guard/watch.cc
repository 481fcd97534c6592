#include "guard/watch.h"

#include <utility>

namespace spangate {
namespace {

constexpr std::uint64_t nanos_per_ms = 1'000'000;

}  // namespace

Watch::Watch(const GuardConfig& config, std::string tenant_id, WatchSink& sink)
    : config_(config),
      tenant_id_(std::move(tenant_id)),
      sink_(sink),
      shelf_(config.sessions_max, [&sink](GuardedSession& session) { sink.evict(session); }) {}

Watched Watch::observe(Shard shard, std::int64_t offset, const StoredEvent& stored) {
    if (texts_.bytes() > pool_bytes_max) texts_.clear();
    event_ = {};
    if (!reader_.read(stored, texts_, event_)) return Watched::damaged;
    if (event_.source == EventSource::guard) return Watched::own;
    const std::string_view tenant_id = texts_[event_.tenant_id];
    if (!tenant_id_.empty() && tenant_id != tenant_id_) return Watched::left_out;
    if (tenant_id.empty() || event_.session_id == no_text) return Watched::damaged;
    GuardedSession& session = session_of(shard, stored);
    if (offset <= session.offset) return Watched::covered;
    session.offset = offset;
    session.last_seen = std::max(session.last_seen, stored.received_at);
    session.is_changed = true;
    told_.clear();
    session.detector.observe(event_, texts_, told_);
    tell_all(session, &event_);
    return Watched::observed;
}

GuardedSession& Watch::session_of(Shard shard, const StoredEvent& stored) {
    const SessionKey key{texts_[event_.tenant_id], texts_[event_.session_id]};
    if (GuardedSession* known = shelf_.find(key)) {
        shelf_.touch(*known);
        if (known->shard != shard) {  // the topic got more partitions: other offsets
            known->shard = shard;
            known->offset = -1;
        }
        return *known;
    }
    GuardedSession made(key, shard, LoopDetector(config_));
    made.session_source = texts_[event_.session_source];
    made.epoch_ms = static_cast<std::uint64_t>(stored.received_at) / nanos_per_ms;
    if (stored.is_json && fields_.parse(stored.value)) {
        made.digest_key_id = fields_.text("digest_key_id");
    }
    return shelf_.add(std::move(made));
}

void Watch::tell_all(GuardedSession& session, const StoryEvent* event) {
    for (const LoopTelling& telling : told_) {
        session.remember(telling);
        ++session.told_count;
        session.is_changed = true;
        sink_.tell({session, telling, event, texts_});
    }
}

void Watch::tick(const std::function<WallNanos(Shard)>& now_of) {
    const WallNanos ttl = std::chrono::nanoseconds(config_.session_ttl).count();
    shelf_.remove_if([&](GuardedSession& session) {
        const WallNanos now = now_of(session.shard);
        if (now == 0) return false;
        if (now - session.last_seen > ttl) {
            sink_.forget(session);
            return true;
        }
        told_.clear();
        session.detector.tick(now, told_);
        tell_all(session, nullptr);
        return false;
    });
}

bool Watch::restore(GuardedSession&& session) {
    if (shelf_.find(session.key()) != nullptr) return true;
    return shelf_.add_oldest(std::move(session)) != nullptr;
}

}  // namespace spangate
