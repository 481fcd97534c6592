#include "report/sessions.h"

#include <algorithm>
#include <sstream>

#include <catch2/catch.hpp>

#include "report/ledger_context.h"
#include "report/report.h"
#include "session/event_fields.h"

namespace spangate {
namespace {

void fill(LedgerContext& context) {
    context.add(context.inference(1.25));
    context.add(context.tool("search", EventOutcome::timeout));
    context.add(context.inference(2.5, "s-2"));
}

template <typename Write, typename View>
std::string written(Write write, const LedgerContext& context, const View& view) {
    std::ostringstream out;
    write(context.ledger, view, out);
    return out.str();
}

bool fits(const std::string& text, std::ptrdiff_t columns) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto characters = std::count_if(line.begin(), line.end(), [](char c) {
            return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
        });
        if (characters > columns) return false;
    }
    return true;
}

}  // namespace

TEST_CASE("the list is a table of 100 columns with the totals under it") {
    LedgerContext context;
    fill(context);
    const std::string text = written(write_sessions_text, context, SessionsView{});
    CHECK(fits(text, 100));
    CHECK(
        text ==
        "   session                    steps tools errs     USD tokens   took  last seen   "
        "signals\n"
        "!  s-1                            2     1    1    1.25    120   1.0s 09-21 10:15\n"
        "   s-2                            1     0    0    2.50    120      0 09-21 10:15\n"
        "2 of 2 sessions, worst first: critical, then warning; then by errors, loops, cost, "
        "newest\n"
        "all: 3 steps, 1 errors, 0 loops, 3.75 USD, 240 tokens\n"
    );
    SessionsView coloured;
    coloured.has_colours = true;
    CHECK(written(write_sessions_text, context, coloured).find("\x1b[33m") != std::string::npos);
}

TEST_CASE("names of sessions cannot write to the terminal, and an empty list says so") {
    LedgerContext context;
    CHECK(written(write_sessions_text, context, SessionsView{}) == "no sessions\n");
    context.add(context.inference(0, "evil\x1b[2J\u202Egnp"));
    const std::string text = written(write_sessions_text, context, SessionsView{});
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find("\u202E") == std::string::npos);
}

TEST_CASE("each session is a line of JSON with a version") {
    LedgerContext context;
    fill(context);
    SessionsView view;
    view.limit = 1;
    const std::string json = written(write_sessions_json, context, view);
    EventFields fields;
    REQUIRE(fields.parse(json));
    CHECK(fields.integer("spangate_sessions") == 1);
    CHECK(fields.text("session_id") == "s-1");
    CHECK(fields.text("verdict") == "warning");
    CHECK(fields.integer("errors") == 1);
    CHECK(fields.real("cost_usd").value() == Approx(1.25));
    CHECK(std::count(json.begin(), json.end(), '\n') == 1);
}

TEST_CASE("the report's text tells totals and each dimension") {
    LedgerContext context;
    fill(context);
    const std::string text = written(write_report_text, context, ReportView{});
    CHECK(fits(text, 100));
    for (const char* part :
         {"Totals", "Sessions", "Agents", "Models", "Tools", "gpt-4.1", "search"})
        CHECK(text.find(part) != std::string::npos);
    CHECK(text.find("Tenants") == std::string::npos);  // there is one
    LedgerContext empty;
    CHECK(written(write_report_text, empty, ReportView{}).find("Totals") != std::string::npos);
}

TEST_CASE("the report's JSON has a version and the same sums") {
    LedgerContext context;
    fill(context);
    const std::string json = written(write_report_json, context, ReportView{});
    EventFields fields;
    REQUIRE(fields.parse(json));
    CHECK(fields.integer("spangate_report") == 1);
    for (const char* name :
         {"totals", "tenants", "agents", "models", "tools", "sessions", "left_out"})
        CHECK(fields.has(name));
    CHECK(json.find(R"("totals":{"sessions":2,"loops":0,)") != std::string::npos);
    CHECK(json.find(R"("name":"gpt-4.1")") != std::string::npos);
    LedgerContext empty;
    CHECK(fields.parse(written(write_report_json, empty, ReportView{})));
}

TEST_CASE("the report's page runs nothing, fetches nothing, and shows hostile names as text") {
    LedgerContext context;
    fill(context);
    context.add(context.inference(0, "</td><script>alert(1)</script>"));
    context.add(context.inference(0, "a\u202Eb"));
    const std::string page = written(write_report_html, context, ReportView{});
    CHECK(page.find("<script") == std::string::npos);
    CHECK(page.find("http:") == std::string::npos);
    CHECK(page.find("https:") == std::string::npos);
    CHECK(page.find("\u202E") == std::string::npos);
    CHECK(page.find("default-src 'none'") != std::string::npos);
    CHECK(page.find("&lt;/td&gt;&lt;script&gt;") != std::string::npos);
    CHECK(page.find("<th scope=\"row\">s-1</th>") != std::string::npos);
}

}  // namespace spangate
