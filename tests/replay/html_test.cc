// The page as a file; what it does in a browser is tested in tests/e2e/test_replay_page.py.
#include <sstream>

#include <catch2/catch.hpp>
#include <simdjson.h>

#include "replay/replay.h"
#include "support/made_sessions.h"

namespace spangate {
namespace {

std::string page_of(Timeline timeline, const ReplayView& view = {}) {
    std::ostringstream out;
    write_html(timeline, view, out);
    return out.str();
}

std::string between(const std::string& text, const std::string& begin, const std::string& end) {
    const std::size_t from = text.find(begin);
    REQUIRE(from != std::string::npos);
    const std::size_t to = text.find(end, from);
    REQUIRE(to != std::string::npos);
    return text.substr(from + begin.size(), to - from - begin.size());
}

simdjson::dom::element story_of(simdjson::dom::parser& parser, const std::string& page) {
    simdjson::dom::element story;
    const std::string json = between(page, "id=\"story\">", "</script>");
    REQUIRE(parser.parse(json).get(story) == simdjson::SUCCESS);
    return story;
}

std::size_t count_of(const std::string& text, const std::string& word) {
    std::size_t count = 0;
    for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
        ++count;
    }
    return count;
}

}  // namespace

TEST_CASE("a page holds its session as columns that are JSON") {
    simdjson::dom::parser parser;
    const std::string page = page_of(payment_story());
    const simdjson::dom::element story = story_of(parser, page);
    CHECK(std::string_view(story["format"]) == "spangate.replay.page/1");
    CHECK(std::int64_t(story["rows"]) == 16);
    CHECK(std::string_view(story["kind"]) == "IDHTRRRRRRPHPPTX");
    CHECK(simdjson::dom::array(story["at"]).size() == 16);
    CHECK(simdjson::dom::array(story["findings"]).size() == 1);
    CHECK(simdjson::dom::array(story["loops"]).size() == 1);
}

TEST_CASE("a page stays the same for the same session") {
    CHECK(page_of(payment_story()) == page_of(payment_story()));
}

TEST_CASE("no text of a session ends an element of its page") {
    simdjson::dom::parser parser;
    const std::string page = page_of(hostile_session());
    // The story, one block of content, the script.
    CHECK(count_of(page, "</script") == 3);
    CHECK(count_of(page, "<script") == 3);
    CHECK(count_of(page, "<img") == 0);
    CHECK(page.find('\x1b') == std::string::npos);
    CHECK(page.find("\xe2\x80\xae") > page.find("id=\"story\""));
    CHECK(std::int64_t(story_of(parser, page)["rows"]) == 5);
}

TEST_CASE("a page tells only the steps that the view chose, by their numbers") {
    ReplayView view;
    view.first_step = 4;
    view.last_step = 6;
    view.is_reversed = true;
    simdjson::dom::parser parser;
    const std::string page = page_of(payment_story(), view);
    const simdjson::dom::element story = story_of(parser, page);
    CHECK(std::int64_t(story["rows"]) == 3);
    CHECK(std::int64_t(story["steps_total"]) == 16);
    const simdjson::dom::array numbers = story["number"];
    CHECK(std::int64_t(numbers.at(0)) == 4);  // the others are told as differences
    CHECK(std::int64_t(numbers.at(2)) == 1);
    CHECK(count_of(between(page, "<noscript>", "</noscript>"), "<tr><td>") == 3);
}

TEST_CASE("a page without content says so and has none") {
    ReplayView view;
    view.shows_content = false;
    const std::string page = page_of(payment_story(), view);
    CHECK(page.find("and no inputs or outputs") != std::string::npos);
    CHECK(count_of(page, "data-first=") == 0);
}

TEST_CASE("a page keeps its budget whatever its steps said") {
    TimelineForTest story;
    std::string noise;
    std::uint32_t state = 1;
    for (std::uint32_t i = 0; i < 1'000; ++i) {
        story.tool("agent", "tool");
        noise.clear();
        for (std::size_t j = 0; j < 3'000; ++j) {
            state = state * 1'664'525U + 1'013'904'223U;
            noise += static_cast<char>('0' + (state >> 24U) % 75);
            if (noise.back() == '\\') noise.back() = '-';
        }
        story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":")" + noise + R"("}})");
    }
    const std::string page = page_of(story.finish());
    CHECK(page.size() <= 400 * 1024);
    CHECK(page.size() >= 360 * 1024);  // and uses it
}

TEST_CASE("long sessions have only their first steps as text") {
    const std::string page = page_of(busy_session(2'100));
    CHECK(page.find("The first 2000 of 2100") != std::string::npos);
    CHECK(count_of(between(page, "<noscript>", "</noscript>"), "<tr><td>") == 2'000);
}

}  // namespace spangate
