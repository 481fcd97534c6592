#include "interpret/tenant_finder.h"

#include "interpret/explanation.h"

namespace spangate {
namespace {

constexpr std::string_view no_tenant = "default";

}  // namespace

// Only of traces that nobody authenticated: the rest says its tenant. False when no span asks for a
// tenant and none says one.
bool TenantFinder::note(std::span<const Draft> drafts) {
    bool has_any = false;
    for (const Draft& draft : drafts)
        has_any = has_any || draft.authority.empty();
    if (!has_any) return false;
    traces_.begin(drafts.size());
    links_.clear();
    trace_of_draft_.assign(drafts.size(), no_index);
    ancestors_.begin(drafts.size());
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        const Draft& draft = drafts[i];
        if (!draft.authority.empty() || is_zero(draft.span->trace_id)) continue;
        trace_of_draft_[i] = traces_.at(trace_key({}, {}, draft.span->trace_id));
        Trace& trace = traces_[trace_of_draft_[i]];
        trace.request = draft.request;
        if (draft.tenant_by != TenantBy::own) {
            note_links(draft, trace);
            continue;
        }
        const std::string_view said = draft.tenant_id;
        if (trace.first.empty()) trace.first = said;
        if (trace.second.empty() && said != trace.first) trace.second = said;
        if (!draft.span->is_root()) continue;
        if (trace.root.empty()) trace.root = said;
        trace.has_two_roots = trace.has_two_roots || said != trace.root;
    }
    return true;
}

void TenantFinder::note_links(const Draft& draft, Trace& trace) {
    for (const SpanLinkView& view : draft.span->links) {
        if (trace.links_count == links_max) return;
        if (is_zero(view.trace_id) || view.trace_id == draft.span->trace_id) continue;
        ++trace.links_count;
        links_.push_back({trace_key({}, {}, view.trace_id), trace.first_link});
        trace.first_link = static_cast<std::uint32_t>(links_.size() - 1);
    }
}

const KnownTenant& TenantFinder::known(Trace& trace) {
    if (!trace.is_asked) trace.known = memory_.find_tenant(trace.key, now_, *arena_);
    trace.is_asked = true;
    return trace.known;
}

// The only one said, in the batch and in the memory. Two are none.
std::string_view TenantFinder::only_tenant(Trace& trace) {
    if (!trace.second.empty()) return {};
    const KnownTenant& remembered = known(trace);
    const std::string_view before = remembered.only_said();
    if (trace.first.empty()) return before;
    const bool is_other = !before.empty() && before != trace.first;
    return is_other || remembered.has_two ? std::string_view() : trace.first;
}

std::string_view TenantFinder::of_link(const TraceKey& target, std::uint32_t chain) {
    if (const std::uint32_t at = traces_.find(target); at != no_index) {
        const std::string_view said = only_tenant(traces_[at]);
        return said.empty() ? of_links(traces_[at], chain + 1) : said;
    }
    const KnownTenant remembered = memory_.find_tenant(target, now_, *arena_);
    return remembered.has_two ? std::string_view() : remembered.tenant_id;
}

// By all of a trace's links in the batch, or by those of earlier batches; linked traces of two
// tenants say none. A ring of links ends where it comes back.
std::string_view TenantFinder::of_links(Trace& trace, std::uint32_t chain) {
    if (trace.link_asked == Asked::done) return trace.linked;
    if (trace.link_asked == Asked::now || chain > chain_max) return {};
    trace.link_asked = Asked::now;
    bool differs = false;
    for (std::uint32_t at = trace.first_link; at != no_index; at = links_[at].next) {
        const std::string_view said = of_link(links_[at].target, chain);
        if (said.empty()) continue;
        differs = differs || (!trace.linked.empty() && trace.linked != said);
        trace.linked = said;
    }
    if (trace.linked.empty() && !known(trace).has_two) trace.linked = known(trace).tenant_id;
    if (differs) trace.linked = {};
    trace.link_asked = Asked::done;
    return trace.linked;
}

// Sets the draft's tenant.
void TenantFinder::find_one(std::span<Draft> drafts, std::uint32_t index) {
    Draft& draft = drafts[index];
    const auto take = [&](std::string_view tenant_id, TenantBy by) {
        draft.tenant_id = tenant_id;
        draft.tenant_by = by;
    };
    if (trace_of_draft_[index] == no_index) return take(no_tenant, TenantBy::nobody);
    const std::uint32_t ancestor = ancestors_.find(drafts, index, [&](std::uint32_t at) {
        return drafts[at].tenant_by == TenantBy::own;
    });
    if (ancestor != no_index) return take(drafts[ancestor].tenant_id, TenantBy::ancestor);
    Trace& trace = traces_[trace_of_draft_[index]];
    if (!trace.root.empty() && !trace.has_two_roots) return take(trace.root, TenantBy::root);
    if (const std::string_view only = only_tenant(trace); !only.empty()) {
        return take(only, trace.first.empty() ? TenantBy::trace_memory : TenantBy::trace_batch);
    }
    const bool has_two = !trace.second.empty() || known(trace).has_two;
    const std::string_view linked = has_two ? std::string_view() : of_links(trace, 0);
    if (!linked.empty()) return take(linked, TenantBy::link);
    take(no_tenant, TenantBy::nobody);
}

// What the memory does not know yet.
void TenantFinder::tell(std::span<const WallNanos> received_at, MemoryChange& change) {
    for (std::uint32_t i = 0; i < traces_.size(); ++i) {
        const Trace& trace = traces_[i];
        const WallNanos now = received_at[trace.request];
        const bool is_known = trace.is_asked && trace.known.tenant_id == trace.first &&
                              !trace.known.is_lent && trace.second.empty();
        if (!trace.first.empty() && !is_known) {
            memory_.tell_tenant(
                trace.key, {trace.first, false, !trace.second.empty()}, now, change
            );
        }
        const bool is_lent = trace.first.empty() && !trace.linked.empty();
        if (is_lent && trace.known.tenant_id.empty()) {
            memory_.tell_tenant(trace.key, {trace.linked, true, false}, now, change);
        }
    }
}

void TenantFinder::find(
    std::span<Draft> drafts,
    std::span<const WallNanos> received_at,
    Arena& arena,
    MemoryChange& change
) {
    arena_ = &arena;
    if (!note(drafts)) return;
    for (std::uint32_t i = 0; i < drafts.size(); ++i) {
        if (drafts[i].tenant_by == TenantBy::own) continue;
        now_ = received_at[drafts[i].request];
        find_one(drafts, i);
    }
    tell(received_at, change);
}

}  // namespace spangate
