// Whatever way a trace's spans are split into requests and ordered: keyed spans stay where they
// belong, no session leaks into traces that have nothing to do with it, and who follows the aliases
// finds the whole story (contract §4). Tenants: what a span says stands, and a session is lent with
// its tenant or not at all.
#include <algorithm>
#include <map>
#include <memory>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "support/interpret_context.h"
#include "support/span_builder.h"

using namespace spangate;

namespace {

constexpr int traces_max = 4;
constexpr int keys_max = 3;

struct Told {
    std::uint8_t id = 0;
    std::uint8_t trace = 1;
    std::uint8_t parent = 0;  // 0: a root; may be a span that never comes
    std::uint8_t link = 0;    // 0: none; may be a trace that never comes
    std::string key;          // empty: none
    std::string says_tenant;  // empty: none
    std::string session;      // as bound
    std::string tenant;       // as bound
    std::size_t batch = 0;
};

std::vector<Told> arbitrary_spans() {
    std::vector<Told> spans(static_cast<std::size_t>(*rc::gen::inRange(1, 25)));
    for (std::size_t i = 0; i < spans.size(); ++i) {
        Told& span = spans[i];
        span.id = static_cast<std::uint8_t>(i + 1);
        span.trace = static_cast<std::uint8_t>(*rc::gen::inRange(1, traces_max + 1));
        const auto upper = static_cast<int>(spans.size()) + 2;
        span.parent = static_cast<std::uint8_t>(*rc::gen::inRange(0, upper));
        const int link = *rc::gen::inRange(-3 * traces_max, traces_max + 2);
        span.link = static_cast<std::uint8_t>(std::max(link, 0));
        const int key = *rc::gen::inRange(-keys_max, keys_max);
        if (key >= 0) span.key = "key-" + std::to_string(key);
    }
    return spans;
}

// Sessions, or traces, that hang together.
class Groups {
  public:
    void join(const std::string& one, const std::string& other) { leader(one) = root(other); }

    [[nodiscard]] std::string root(const std::string& name) {
        std::string at = name;
        while (leaders_.contains(at) && leaders_[at] != at)
            at = leaders_[at];
        return at;
    }

  private:
    std::string& leader(const std::string& name) { return leaders_[root(name)]; }

    std::map<std::string, std::string> leaders_;
};

struct Run {
    std::string tenant_id;     // its own, so that runs share a gateway and never meet
    std::uint16_t traces = 0;  // else their traces are their own: this goes into the ids
    std::size_t batches = 0;
    std::vector<Told> spans;
    std::vector<std::pair<std::string, std::string>> aliases;  // session, the one it names
};

void walk(InterpretContext& context, Run& run, std::size_t from, std::size_t to, bool as_requests) {
    std::vector<std::unique_ptr<SpanBuilder>> builders;
    std::vector<DecodedRequest> requests;
    for (std::size_t i = from; i < to; ++i) {
        if (builders.empty() || as_requests) builders.push_back(std::make_unique<SpanBuilder>());
        const Told& span = run.spans[i];
        SpanBuilder::Pairs pairs = {{"gen_ai.operation.name", text("chat")}};
        if (!span.key.empty()) pairs.emplace_back("session.id", text(span.key));
        if (!span.says_tenant.empty()) pairs.emplace_back("tenant.id", text(span.says_tenant));
        builders.back()->span("chat", span.id, span.parent, pairs).trace(span.trace);
        if (span.link != 0) builders.back()->link(span.link);
    }
    for (const std::unique_ptr<SpanBuilder>& builder : builders) {
        const auto make_own = [&](TraceId& id) {
            id[0] = static_cast<std::uint8_t>(run.traces >> 8);
            id[1] = static_cast<std::uint8_t>(run.traces);
        };
        for (SpanView& span : builder->spans()) {
            make_own(span.trace_id);
            for (SpanLinkView& link : span.links)
                make_own(link.trace_id);
        }
        requests.emplace_back().spans = builder->spans();
        requests.back().raw.received_at = received_at_for_test;
        requests.back().raw.tenant_id = run.tenant_id;
    }
    for (const AgentItem& item : context.interpret(std::move(requests)).items) {
        if (item.source == EventSource::gateway) {
            run.aliases.emplace_back(
                std::string(item.session.session_id), text_on(item, FieldId::alias_session_id)
            );
            continue;
        }
        for (std::size_t i = from; i < to; ++i) {
            if (span_of(run.spans[i].id) != item.span->span_id) continue;
            run.spans[i].session = item.session.session_id;
            run.spans[i].tenant = item.session.tenant_id;
            run.spans[i].batch = run.batches;
        }
    }
    ++run.batches;
}

void walk_in_pieces(InterpretContext& context, Run& run) {
    for (std::size_t from = 0; from < run.spans.size();) {
        const auto left = static_cast<int>(run.spans.size() - from);
        const std::size_t to = from + static_cast<std::size_t>(*rc::gen::inRange(1, left + 1));
        walk(context, run, from, to, *rc::gen::arbitrary<bool>());
        from = to;
    }
}

Run arbitrary_run(InterpretContext& context) {
    static int runs = 0;
    Run run;
    run.tenant_id = "run-" + std::to_string(++runs);
    run.spans = arbitrary_spans();
    walk_in_pieces(context, run);
    return run;
}

// Nobody authenticates it; spans may say a tenant of `tenants_max`.
Run run_of_tenants(InterpretContext& context, int tenants_max) {
    static std::uint16_t runs = 0;
    Run run;
    run.traces = ++runs;
    run.spans = arbitrary_spans();
    for (Told& span : run.spans) {
        const int tenant = *rc::gen::inRange(-tenants_max, tenants_max);
        if (tenant >= 0) span.says_tenant = "tenant-" + std::to_string(tenant);
    }
    walk_in_pieces(context, run);
    return run;
}

bool is_of_trace(const std::string& session) {
    return session.starts_with("trace:");
}

std::string name_of_trace(std::uint8_t trace) {
    return fmt::format("trace:{:032x}", trace);
}

}  // namespace

TEST_CASE("however its spans come, a session keeps its own and takes from nobody") {
    InterpretContext context;
    const bool holds = rc::check([&] {
        const Run run = arbitrary_run(context);
        Groups traces;
        for (const Told& span : run.spans) {
            if (span.link != 0) traces.join(name_of_trace(span.trace), name_of_trace(span.link));
        }
        for (const Told& span : run.spans) {
            if (!span.key.empty()) {
                RC_ASSERT(span.session == span.key);
                continue;
            }
            if (span.session == name_of_trace(span.trace)) continue;
            const bool is_near =
                std::any_of(run.spans.begin(), run.spans.end(), [&](const Told& other) {
                    return other.key == span.session && traces.root(name_of_trace(other.trace)) ==
                                                            traces.root(name_of_trace(span.trace));
                });
            RC_ASSERT(is_near);
        }
    });
    CHECK(holds);
}

TEST_CASE("however its spans come, a tenant keeps its own and a session is lent with its tenant") {
    InterpretContext context;
    const bool holds = rc::check([&] {
        const Run run = run_of_tenants(context, 2);
        Groups traces;
        for (const Told& span : run.spans) {
            if (span.link != 0) traces.join(name_of_trace(span.trace), name_of_trace(span.link));
        }
        const auto is_near = [&](const Told& one, const Told& other) {
            return traces.root(name_of_trace(one.trace)) == traces.root(name_of_trace(other.trace));
        };
        for (const Told& span : run.spans) {
            const bool says = !span.says_tenant.empty();
            if (says) RC_ASSERT(span.tenant == span.says_tenant);
            if (!span.key.empty()) RC_ASSERT(span.session == span.key);
            const bool is_lent = span.key.empty() && !is_of_trace(span.session);
            bool has_lender = false;
            bool has_tenant = false;
            for (const Told& other : run.spans) {
                if (!is_near(span, other)) continue;
                has_tenant = has_tenant || other.says_tenant == span.tenant;
                // Who says no tenant, and got none when it came, lends to all.
                const bool may_lend = other.tenant == span.tenant || other.tenant == "default";
                has_lender = has_lender || (other.key == span.session && may_lend);
            }
            RC_ASSERT(!is_lent || has_lender);
            RC_ASSERT(has_tenant || span.tenant == "default");
        }
    });
    CHECK(holds);
}

TEST_CASE("however its spans come, the only tenant of a trace is that of all who come with it") {
    InterpretContext context;
    const bool holds = rc::check([&] {
        const Run run = run_of_tenants(context, 1);
        for (const Told& one : run.spans) {
            for (const Told& other : run.spans) {
                const bool knows = !other.says_tenant.empty() && other.batch <= one.batch;
                if (one.trace == other.trace && knows) RC_ASSERT(one.tenant == other.says_tenant);
            }
        }
    });
    CHECK(holds);
}

TEST_CASE("however its spans come, following the aliases finds all sessions of a trace") {
    InterpretContext context;
    const bool holds = rc::check([&] {
        const Run run = arbitrary_run(context);
        Groups sessions;
        for (const auto& [session, other] : run.aliases)
            sessions.join(session, other);
        for (const Told& one : run.spans) {
            for (const Told& other : run.spans) {
                if (one.trace != other.trace && one.link != other.trace) continue;
                RC_ASSERT(sessions.root(one.session) == sessions.root(other.session));
            }
        }
    });
    CHECK(holds);
}

TEST_CASE("however its spans come, a pair is told once, in both sessions, and pairs are few") {
    InterpretContext context;
    const bool holds = rc::check([&] {
        const Run run = arbitrary_run(context);
        const std::set<std::pair<std::string, std::string>> told(
            run.aliases.begin(), run.aliases.end()
        );
        RC_ASSERT(told.size() == run.aliases.size());
        std::set<std::pair<std::uint8_t, std::string>> places;
        std::set<std::pair<std::uint8_t, std::uint8_t>> links;
        for (const Told& span : run.spans) {
            places.emplace(span.trace, span.session);
            if (span.link != 0) links.emplace(span.trace, span.link);
        }
        for (const auto& [session, other] : told) {
            RC_ASSERT(told.contains({other, session}));
            RC_ASSERT(session != other);
        }
        RC_ASSERT(told.size() <= 2 * (places.size() + links.size() * places.size()));
    });
    CHECK(holds);
}
