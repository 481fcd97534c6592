#include "interpret/alias_writer.h"

#include <array>
#include <string>

#include "base/text.h"

namespace spangate {

// Ids of gateway events: (kind, gateway_id, session, number), contract §3. A client's session id
// goes in as its keyed hash: it may yet be one that must not be published, and all the rest of what
// is hashed here stands on the event.
EventId AliasWriter::event_id(const SessionAlias& alias, const AliasEnd& in) {
    std::array<char, HashKey::token_size> token{};
    std::string_view session = in.claim.session_id;
    if (in.claim.is_from_client) {
        hash_key_.write_token(session, token.data());
        session = {token.data(), token.size()};
    }
    sha256_.add("spangate/event/1").add_byte(0);
    sha256_.add("session_alias").add_byte(0).add(gateway_id_).add_byte(0);
    sha256_.add(alias.tenant_id).add_byte(0).add(session).add_byte(0);
    sha256_.add(std::to_string(alias.number));
    const Sha256Digest digest = sha256_.finish();
    EventId id;
    write_hex(std::span(digest).first(id.size() / 2), id.data());
    return id;
}

void AliasWriter::append_one(
    const SessionAlias& alias, const AliasEnd& in, const AliasEnd& names, EventBatch& batch
) {
    Arena& arena = *batch.source.spans.arena;
    const RawRequest& request = batch.source.spans.requests[alias.request].raw;
    auto* const span = arena.make<SpanView>();
    span->trace_id = in.trace_id;
    fields_.clear();
    fields_.put(FieldValue::of_text(FieldId::alias_session_id, names.claim.session_id));
    fields_.put(FieldValue::of_text(FieldId::alias_reason, name_of(alias.reason)));

    AgentItem& item = batch.items.emplace_back();
    item.source = EventSource::gateway;
    item.span = span;
    item.ticket = request.ticket;
    item.received_at = request.received_at;
    item.session = {alias.tenant_id, in.claim.session_id};
    item.session_source = in.claim.source;
    item.session_is_from_client = in.claim.is_from_client;
    item.fields = arena.make<FieldSet>(fields_.pack(arena));
    item.events = arena.make_array<AgentEvent>(1);
    AgentEvent& event = item.events[0];
    event.type = EventType::session_alias;
    event.is_primary = true;
    event.event_id = event_id(alias, in);
    event.timestamp = request.received_at;
    event.time_source = TimeSource::received;
    event.fields = item.fields;
    batch.item_facts.push_back(nullptr);
}

void AliasWriter::append(std::span<const SessionAlias> aliases, EventBatch& batch) {
    for (const SessionAlias& alias : aliases) {
        append_one(alias, alias.one, alias.other, batch);
        append_one(alias, alias.other, alias.one, batch);
    }
}

}  // namespace spangate
