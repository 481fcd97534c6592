// The part of the SessionBinder that looks beyond one trace: links, and what the memory is told.
#include <algorithm>

#include "interpret/session_binder.h"

namespace spangate {
namespace {

// The claims of several traces: one session, or none when they differ.
class OneSession {
  public:
    void add(const SessionClaim& claim) {
        if (claim.empty()) return;
        if (claim_.empty()) claim_ = claim;
        differs_ = differs_ || claim_.session_id != claim.session_id;
    }

    [[nodiscard]] bool empty() const { return claim_.empty(); }

    [[nodiscard]] SessionClaim claim() const { return differs_ ? SessionClaim{} : claim_; }

  private:
    SessionClaim claim_;
    bool differs_ = false;
};

Standing standing_of(BoundBy by) {
    switch (by) {
        case BoundBy::own:
        case BoundBy::ancestor:
        case BoundBy::root:
        case BoundBy::trace_batch:
        case BoundBy::trace_memory:
            return Standing::key;
        case BoundBy::link:
            return Standing::link;
        case BoundBy::resource:
            return Standing::resource;
        case BoundBy::trace_id:
        case BoundBy::log:
            return Standing::trace_id;
    }
    return Standing::trace_id;
}

// What a trace lends to those that link to it: its key, or what its own links gave it.
SessionClaim lent_by(const KnownTrace& known) {
    return known.standing == Standing::link ? known.session : known.only_key();
}

}  // namespace

void SessionBinder::note_links(std::span<const Draft> drafts, std::uint32_t index) {
    const Draft& draft = drafts[index];
    Trace& trace = traces_[trace_of_draft_[index]];
    for (const SpanLinkView& view : draft.span->links) {
        if (is_zero(view.trace_id) || view.trace_id == draft.span->trace_id) continue;
        const TraceKey target = {trace.key.authority, trace.key.tenant, view.trace_id};
        std::uint32_t at = trace.first_link;
        while (at != no_index && links_[at].target != target)
            at = links_[at].next;
        if (at != no_index) {
            const bool was_kept = drafts[links_[at].draft].fate == Fate::kept;
            if (!was_kept && draft.fate == Fate::kept) links_[at].draft = index;
            continue;
        }
        if (trace.links_count == links_max) return;
        ++trace.links_count;
        Link& link = links_.emplace_back();
        link.target = target;
        link.draft = index;
        link.next = trace.first_link;
        trace.first_link = static_cast<std::uint32_t>(links_.size() - 1);
    }
}

SessionClaim SessionBinder::of_link(
    std::span<const Draft> drafts, Link& link, std::uint32_t chain
) {
    if (const std::uint32_t target = traces_.find(link.target); target != no_index) {
        const SessionClaim key = only_key(drafts, traces_[target]);
        return key.empty() ? of_linked_traces(drafts, traces_[target], chain + 1) : key;
    }
    if (link.is_asked) return link.claim;
    link.claim = lent_by(memory_.find(link.target, now_, *arena_));
    bool is_here = false;
    if (link.claim.empty()) link.claim = of_nobodys(drafts, link.target, is_here);
    link.is_asked = true;
    return link.claim;
}

// By all of a trace's links in the batch, or by those of earlier batches. A ring of links ends
// where it comes back.
SessionClaim SessionBinder::of_linked_traces(
    std::span<const Draft> drafts, Trace& trace, std::uint32_t chain
) {
    if (trace.link_asked == Asked::done) return trace.linked;
    if (trace.link_asked == Asked::now || chain > chain_max) return {};
    trace.link_asked = Asked::now;
    OneSession session;
    for (std::uint32_t at = trace.first_link; at != no_index; at = links_[at].next)
        session.add(of_link(drafts, links_[at], chain));
    trace.linked = session.claim();
    if (session.empty()) {
        const KnownTrace& remembered = known(trace);
        if (remembered.standing == Standing::link) trace.linked = remembered.session;
    }
    trace.link_asked = Asked::done;
    return trace.linked;
}

// By its own links, else by its trace's.
SessionClaim SessionBinder::of_links(std::span<const Draft> drafts, std::uint32_t index) {
    const Draft& draft = drafts[index];
    Trace& trace = traces_[trace_of_draft_[index]];
    OneSession session;
    std::size_t looked_at = 0;
    for (const SpanLinkView& view : draft.span->links) {
        if (looked_at++ == links_max) break;
        for (std::uint32_t at = trace.first_link; at != no_index; at = links_[at].next) {
            if (links_[at].target.trace_id == view.trace_id)
                session.add(of_link(drafts, links_[at], 0));
        }
    }
    return session.empty() ? of_linked_traces(drafts, trace, 0) : session.claim();
}

TraceSession SessionBinder::published_session(std::span<const Draft> drafts, std::uint32_t index)
    const {
    const Draft& draft = drafts[index];
    return {draft.session, draft.tenant_id, standing_of(bound_by_[index])};
}

// Whether the memory has to hear of a trace; mostly it was asked and knows all.
bool SessionBinder::is_news(std::span<const Draft> drafts, const Trace& trace) const {
    if (trace.first == no_index && trace.published == no_index) return false;
    if (!trace.is_asked || trace.other != no_index) return true;
    const KnownTrace& known = trace.known;
    const auto is_known = [&](std::string_view session_id) {
        return known.session.session_id == session_id;
    };
    if (trace.published != no_index) {
        if (!known.is_published) return true;
        if (!is_known(drafts[trace.published].session.session_id)) return true;
    }
    if (trace.first == no_index || known.has_two_keys) return false;
    return trace.second != no_index || known.standing != Standing::key ||
           !is_known(drafts[trace.first].own.session_id);
}

void SessionBinder::tell_traces(
    std::span<const Draft> drafts, std::span<const WallNanos> received_at
) {
    // Traces with several sessions are few; their sessions are brought together, each once.
    std::sort(others_.begin(), others_.end(), [&](std::uint32_t a, std::uint32_t b) {
        if (trace_of_draft_[a] != trace_of_draft_[b])
            return trace_of_draft_[a] < trace_of_draft_[b];
        const int order = drafts[a].session.session_id.compare(drafts[b].session.session_id);
        return order != 0 ? order < 0 : a < b;
    });
    const auto end = std::unique(others_.begin(), others_.end(), [&](auto a, auto b) {
        return trace_of_draft_[a] == trace_of_draft_[b] &&
               drafts[a].session.session_id == drafts[b].session.session_id;
    });
    auto other = others_.begin();
    for (std::uint32_t i = 0; i < traces_.size(); ++i) {
        const Trace& trace = traces_[i];
        published_.clear();
        if (trace.published != no_index) {
            published_.push_back(published_session(drafts, trace.published));
        }
        for (; other != end && trace_of_draft_[*other] == i; ++other)
            published_.push_back(published_session(drafts, *other));
        if (!is_news(drafts, trace)) continue;
        // The root's key comes first: it is the one the trace is to be known by.
        std::array<TraceSession, 2> keys;
        std::size_t keys_count = 0;
        const auto add_key = [&](std::uint32_t index) {
            const Draft& draft = drafts[index];
            keys[keys_count++] = {draft.own, draft.tenant_id, Standing::key};
        };
        const bool root_is_second =
            trace.root != no_index && trace.second != no_index &&
            drafts[trace.root].own.session_id != drafts[trace.first].own.session_id;
        if (trace.first != no_index) add_key(root_is_second ? trace.root : trace.first);
        if (trace.second != no_index) add_key(root_is_second ? trace.first : trace.second);
        if (published_.size() > 1 && keys_count > 0) {
            const auto known_by = std::find_if(
                published_.begin(),
                published_.end(),
                [&](const TraceSession& session) {
                    return session.claim.session_id == keys[0].claim.session_id;
                }
            );
            if (known_by != published_.end()) std::iter_swap(published_.begin(), known_by);
        }
        const std::uint32_t teller = trace.published != no_index ? trace.published : trace.first;
        const std::uint32_t request = drafts[teller].request;
        const std::size_t before = finds_.aliases.size();
        memory_.tell(
            trace.key, {std::span(keys).first(keys_count), published_}, received_at[request], finds_
        );
        for (std::size_t at = before; at < finds_.aliases.size(); ++at)
            finds_.aliases[at].request = request;
    }
}

// After all traces of the batch, so that links among them find their target.
void SessionBinder::tell_links(
    std::span<const Draft> drafts, std::span<const WallNanos> received_at
) {
    for (const Link& link : links_) {
        const Trace& trace = traces_[trace_of_draft_[link.draft]];
        const bool is_kept = drafts[link.draft].fate == Fate::kept;
        const std::uint32_t from = is_kept ? link.draft : trace.published;
        if (from == no_index) continue;  // nothing stands on the topics that links
        const std::uint32_t request = drafts[from].request;
        const std::size_t before = finds_.aliases.size();
        memory_.tell_link(
            link.target,
            trace.key.trace_id,
            published_session(drafts, from),
            received_at[request],
            finds_
        );
        for (std::size_t at = before; at < finds_.aliases.size(); ++at)
            finds_.aliases[at].request = request;
    }
}

// Most pairs of a long trace were told by an earlier batch.
void SessionBinder::keep_new_aliases(std::span<const WallNanos> received_at) {
    aliases_.clear();
    for (SessionAlias& alias : finds_.aliases) {
        if (aliases_.size() == aliases_max) {
            aliases_limited_.add();
            continue;
        }
        if (!memory_.tell_pair(alias, received_at[alias.request], finds_.change)) continue;
        aliased_[static_cast<std::size_t>(alias.reason)]->add();
        aliases_.push_back(alias);
    }
    finds_.aliases.clear();
    traces_known_.add(finds_.change.traces_added);
    pairs_known_.add(finds_.change.pairs_added);
    tenants_known_.add(finds_.change.tenants_added);
    traces_evicted_.add(finds_.change.traces_evicted);
    pairs_evicted_.add(finds_.change.pairs_evicted);
    tenants_evicted_.add(finds_.change.tenants_evicted);
    finds_.change = {};
}

}  // namespace spangate
