#include "report/sessions.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "replay/columns.h"
#include "replay/figures.h"

namespace spangate {
namespace {

constexpr std::string_view red = "\x1b[31m";
constexpr std::string_view yellow = "\x1b[33m";
constexpr std::string_view dim = "\x1b[2m";
constexpr std::string_view plain = "\x1b[0m";

constexpr std::size_t session_columns = 26;
constexpr std::size_t flags_columns = 18;
constexpr std::array<std::string_view, 3> marks = {"  ", "! ", "!!"};  // by Verdict

bool has_several_tenants(const std::vector<const SessionSums*>& sessions) {
    return std::any_of(sessions.begin(), sessions.end(), [&](const SessionSums* session) {
        return session->tenant_id != sessions.front()->tenant_id;
    });
}

// The tenant where there are several: a session is known by both.
std::string name_of(const SessionSums& session, bool with_tenant) {
    return with_tenant ? session.tenant_id + "/" + session.session_id : session.session_id;
}

std::string line_of(const SessionSums& session, bool with_tenant) {
    std::string line(marks[static_cast<std::size_t>(session.verdict())]);
    line += ' ';
    append_left(name_of(session, with_tenant), session_columns, line);
    const auto add = [&line](const std::string& figure, std::size_t columns) {
        line += ' ';
        append_right(figure, columns, line);
    };
    add(short_count(static_cast<std::int64_t>(session.sums.steps)), 5);
    add(short_count(static_cast<std::int64_t>(session.sums.tool_calls)), 5);
    add(short_count(static_cast<std::int64_t>(session.sums.errors())), 4);
    add(money_words(session.sums.cost_usd), 7);
    add(short_count(session.sums.tokens()), 6);
    add(duration_words(session.duration()), 6);
    add(short_time(session.ended_at), 11);
    line += "  ";
    append_cut(session_flags(session), flags_columns, line);
    line.erase(line.find_last_not_of(' ') + 1);
    return line;
}

std::string heading() {
    std::string line = "   ";
    append_left("session", session_columns, line);
    return line + " steps tools errs     USD tokens   took  last seen   signals";
}

void write_notes(const SessionLedger& ledger, std::ostream& out) {
    if (ledger.closed() > 0) {
        out << fmt::format(
            "{} sessions were closed to make room: one that went on later is listed twice\n",
            ledger.closed()
        );
    }
    if (ledger.detectors_dropped() > 0) {
        out << fmt::format(
            "loops of {} quiet sessions were not followed to their end: guard.sessions_max\n",
            ledger.detectors_dropped()
        );
    }
}

constexpr std::array<std::string_view, 6> order_words = {
    "worst first: critical, then warning; then by errors, loops, cost, newest",
    "most expensive first",
    "most errors first",
    "most loops first",
    "longest first",
    "newest first",
};

}  // namespace

std::string short_count(std::int64_t count) {
    if (count < 10'000) return std::to_string(count);
    const auto real = static_cast<double>(count);
    if (count < 100'000) return fmt::format("{:.1f}k", real / 1e3);
    if (count < 1'000'000) return fmt::format("{:.0f}k", real / 1e3);
    if (count < 100'000'000) return fmt::format("{:.1f}M", real / 1e6);
    if (count < 1'000'000'000) return fmt::format("{:.0f}M", real / 1e6);
    return fmt::format("{:.1f}G", real / 1e9);
}

std::string short_time(WallNanos at) {
    if (at <= 0) return "-";
    std::string time = to_rfc3339(at).substr(5, 11);
    time[5] = ' ';
    return time;
}

std::string session_flags(const SessionSums& session) {
    std::string flags;
    const auto add = [&flags](const std::string& flag) {
        if (!flags.empty()) flags += ' ';
        flags += flag;
    };
    if (session.missing > 0) add(fmt::format("gap {}", session.missing));
    for (std::size_t signal = 1; signal < loop_signal_names.size(); ++signal) {
        if (session.has_signal(static_cast<LoopSignal>(signal))) add(fmt::format("L{}", signal));
    }
    if (session.explained > 0) add(fmt::format("lost {}", session.explained));
    if (session.unfinished > 0) add(fmt::format("open {}", session.unfinished));
    return flags;
}

void write_sessions_text(const SessionLedger& ledger, const SessionsView& view, std::ostream& out) {
    const std::vector<const SessionSums*> sessions = ledger.listed(view.limit);
    if (sessions.empty()) {
        out << "no sessions\n";
        return;
    }
    const bool with_tenant = has_several_tenants(sessions);
    out << (view.has_colours ? dim : "") << heading() << (view.has_colours ? plain : "") << '\n';
    for (const SessionSums* const session : sessions) {
        std::string_view colour;
        if (session->verdict() == Verdict::critical) colour = red;
        if (session->verdict() == Verdict::warning) colour = yellow;
        if (!view.has_colours) colour = {};
        out << colour << line_of(*session, with_tenant) << (colour.empty() ? "" : plain) << '\n';
    }
    const RunSums totals = ledger.totals();
    out << fmt::format(
        "{} of {} sessions, {}\n",
        count_words(static_cast<std::int64_t>(sessions.size())),
        count_words(static_cast<std::int64_t>(ledger.sessions())),
        order_words[static_cast<std::size_t>(view.order)]
    );
    out << fmt::format(
        "all: {} steps, {} errors, {} loops, {} USD, {} tokens\n",
        count_words(static_cast<std::int64_t>(totals.steps)),
        count_words(static_cast<std::int64_t>(ledger.errors())),
        count_words(static_cast<std::int64_t>(ledger.loops())),
        money_words(totals.cost_usd),
        count_words(totals.tokens())
    );
    write_notes(ledger, out);
}

void append_sums_json(const RunSums& sums, std::string& out) {
    fmt::format_to(
        std::back_inserter(out),
        R"("events":{},"steps":{},"inferences":{},"tool_calls":{},"retries":{},"errors":{},)"
        R"("policies":{},"handoffs":{},"tokens_prompt":{},"tokens_completion":{},)"
        R"("tokens_cache_read":{},"tokens_reasoning":{},"tokens":{},"cost_usd":{},)"
        R"("busy_ms":{:.3f},"inference_ms":{:.3f},"tool_ms":{:.3f})",
        sums.events,
        sums.steps,
        sums.inferences,
        sums.tool_calls,
        sums.retries,
        sums.errors(),
        sums.policies,
        sums.handoffs,
        sums.tokens_prompt,
        sums.tokens_completion,
        sums.tokens_cache_read,
        sums.tokens_reasoning,
        sums.tokens(),
        sums.cost_usd,
        sums.busy_ms,
        sums.inference_ms,
        sums.tool_ms
    );
}

void append_session_json(
    const SessionLedger& ledger, const SessionSums& session, std::string& out
) {
    fmt::format_to(
        std::back_inserter(out),
        R"("tenant_id":{},"session_id":{},"verdict":"{}",)",
        json_quote(session.tenant_id),
        json_quote(session.session_id),
        name_of(session.verdict())
    );
    append_sums_json(session.sums, out);
    fmt::format_to(std::back_inserter(out), R"(,"loops":{},"signals":[)", session.loops);
    for (std::size_t signal = 1; signal < loop_signal_names.size(); ++signal) {
        if (!session.has_signal(static_cast<LoopSignal>(signal))) continue;
        fmt::format_to(
            std::back_inserter(out),
            R"({}"{}")",
            out.back() == '[' ? "" : ",",
            loop_signal_names[signal]
        );
    }
    out += ']';
    if (session.worst_signal) {
        fmt::format_to(
            std::back_inserter(out), R"(,"worst_signal":"{}")", name_of(*session.worst_signal)
        );
    }
    fmt::format_to(
        std::back_inserter(out),
        R"(,"unfinished":{},"missing":{},"explained_missing":{},"started_at":"{}",)"
        R"("ended_at":"{}","duration_ms":{:.3f},"agents":[)",
        session.unfinished,
        session.missing,
        session.explained,
        to_rfc3339(session.started_at),
        to_rfc3339(session.ended_at),
        static_cast<double>(session.duration()) / 1e6
    );
    for (const std::uint32_t agent : session.agents) {
        if (out.back() != '[') out += ',';
        out += json_quote(ledger.agent_name(agent));
    }
    out += ']';
}

void write_sessions_json(const SessionLedger& ledger, const SessionsView& view, std::ostream& out) {
    std::string line;
    for (const SessionSums* const session : ledger.listed(view.limit)) {
        line = "{\"spangate_sessions\":1,";
        append_session_json(ledger, *session, line);
        out << line << "}\n";
        if (!out.good()) return;
    }
}

}  // namespace spangate
