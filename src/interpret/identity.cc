#include "interpret/identity.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "interpret/explanation.h"
#include "interpret/loose_value.h"

namespace spangate {
namespace {

constexpr std::size_t short_number_digits_max = 10;

// What only the gateway may make.
constexpr std::array<std::string_view, 3> reserved_prefixes = {"trace:", "h:", "log:"};

bool is_short_number(std::string_view text) {
    return text.size() <= short_number_digits_max &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

IdentityReader::IdentityReader(
    const ConventionTable& table, std::vector<std::string> session_keys, const HashKey& hash_key
)
    : table_(table),
      session_keys_(std::move(session_keys)),
      hash_key_(hash_key) {}

void IdentityReader::read_tenant(
    const FieldPlan& plan,
    const FieldSource& source,
    const RequestFacts& facts,
    FieldReader& reader,
    Draft& draft,
    Arena& arena
) {
    draft.authority = facts.tenant_id;
    draft.tenant_id = facts.tenant_id;
    Explanation* explanation = draft.explanation;
    if (draft.tenant_id.empty()) {
        const FieldReader::Text said = reader.read_text(plan, target::tenant_id, source);
        draft.tenant_id = said.text;
        if (explanation != nullptr) explanation->tenant_entry = said.entry;
    }
    draft.tenant_by = draft.tenant_id.empty() ? TenantBy::nobody : TenantBy::own;
    if (!draft.tenant_id.empty() && !is_id(draft.tenant_id)) {
        char* token = static_cast<char*>(arena.allocate(HashKey::token_size, 1));
        hash_key_.write_token(draft.tenant_id, token);
        draft.tenant_id = {token, HashKey::token_size};
    }
    const FieldReader::Text user = reader.read_text(plan, target::user_id, source);
    draft.user_id = user.text;
    if (explanation != nullptr) explanation->user_entry = user.entry;
}

bool IdentityReader::is_rejected(std::string_view key, std::string_view value) const {
    const SessionReject& reject = table_.session_reject;
    const bool is_none =
        std::any_of(reject.values.begin(), reject.values.end(), [&](const std::string& none) {
            return equals_ignore_case(value, none);
        });
    if (value.empty() || is_none) return true;
    if (!is_short_number(value)) return false;
    const auto& keys = reject.integer_only_keys;
    return std::find(keys.begin(), keys.end(), key) != keys.end();
}

SessionClaim IdentityReader::claim(std::string_view key, std::string_view value, Arena& arena) {
    const bool is_reserved = std::any_of(
        reserved_prefixes.begin(),
        reserved_prefixes.end(),
        [&](std::string_view prefix) { return value.starts_with(prefix); }
    );
    if (is_id(value) && !is_reserved) return {value, key, true};
    char* token = static_cast<char*>(arena.allocate(HashKey::token_size, 1));
    hash_key_.write_token(value, token);
    return {{token, HashKey::token_size}, key, false};
}

void IdentityReader::take(
    std::string_view key, std::string_view value, Draft& draft, Arena& arena
) {
    const auto note = [&](SessionKeySeen::Fate fate) {
        if (draft.explanation != nullptr) draft.explanation->session_keys.push_back({key, fate});
    };
    if (is_rejected(key, value)) return note(SessionKeySeen::Fate::rejected);
    const SessionClaim found = claim(key, value, arena);
    if (draft.own.empty()) {
        draft.own = found;
        return note(SessionKeySeen::Fate::taken);
    }
    const bool is_same = found.session_id == draft.own.session_id;
    note(is_same ? SessionKeySeen::Fate::same : SessionKeySeen::Fate::weaker);
    const bool is_known = found.session_id == draft.own.session_id ||
                          std::find(seen_.begin(), seen_.end(), found.session_id) != seen_.end();
    if (!is_known && seen_.size() < keys_seen_max) seen_.push_back(found.session_id);
}

void IdentityReader::read_session(
    const FieldPlan& plan,
    const FieldSource& source,
    FieldReader& reader,
    Draft& draft,
    Arena& arena
) {
    seen_.clear();
    for (const std::string& key : session_keys_) {
        for (const Attribute& attribute : source.attributes.attributes()) {
            if (attribute.key == key) take(key, text_of(attribute.value, arena), draft, arena);
        }
    }
    if (!source.candidates.has(target::session_id)) return keep_seen(draft, arena);
    for (const FieldEntry& entry : table_.session_keys) {
        // Most keys are absent: one look at the index, nothing else.
        if (entry.source == FieldEntry::Source::attribute &&
            source.attributes.find(entry.key) == nullptr) {
            continue;
        }
        const std::string_view text = reader.read_text(entry, source).text;
        if (!text.empty()) take(entry.label, text, draft, arena);
    }
    for (const FieldPlan::Entry& entry : plan.of(target::session_id)) {
        const std::string_view text = reader.read_text(*entry.entry, source).text;
        if (!text.empty()) take(entry.entry->label, text, draft, arena);
    }
    keep_seen(draft, arena);
}

void IdentityReader::keep_seen(Draft& draft, Arena& arena) const {
    draft.session_keys_seen = arena.copy_array(std::span<const std::string_view>(seen_));
}

SessionClaim IdentityReader::session_of_resource(
    const FieldSource& source, FieldReader& reader, Arena& arena
) {
    for (const FieldEntry& entry : table_.resource_session_keys) {
        const std::string_view text = reader.read_text(entry, source).text;
        if (!text.empty() && !is_rejected(entry.label, text))
            return claim(entry.label, text, arena);
    }
    return {};
}

}  // namespace spangate
