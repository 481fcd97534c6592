#include "replay/diff.h"

#include <random>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "replay/diff_noise.h"
#include "support/timeline_for_test.h"

namespace spangate {
namespace {

// A step of a made-up run; rendered twice it makes two runs that differ in noise alone.
struct Deed {
    StepKind kind = StepKind::tool;
    std::string agent;
    std::string name;  // tool, model, decision, or agent handed to
    int item = 0;      // what is asked for
    int answer = 0;    // what comes back
    EventOutcome outcome = EventOutcome::ok;
};

using Script = std::vector<Deed>;

const std::vector<std::string> agents = {"planner", "validator", "writer"};
const std::vector<std::string> tools = {"search.find", "orders.get", "mail.send", "db.query"};

template <typename T>
const T& one_of(const std::vector<T>& all, std::mt19937& random) {
    return all[random() % all.size()];
}

Script make_script(std::mt19937& random) {
    Script script;
    const std::size_t count = 20 + random() % 40;
    while (script.size() < count) {
        Deed deed;
        deed.agent = one_of(agents, random);
        deed.item = static_cast<int>(1'000 + random() % 900);
        deed.answer = static_cast<int>(5'000 + random() % 900);
        switch (random() % 6) {
            case 0:
                deed.kind = StepKind::inference;
                deed.name = "gpt-4.1";
                break;
            case 1:
                deed.kind = StepKind::decision;
                deed.name = one_of(agents, random);
                break;
            case 2:
                deed.kind = StepKind::handoff;
                deed.name = one_of(agents, random);
                break;
            default:
                deed.name = one_of(tools, random);
        }
        script.push_back(deed);
    }
    return script;
}

std::string uuid(std::mt19937& noise) {
    return fmt::format(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:08x}{:04x}",
        noise(),
        noise() & 0xFFFFU,
        noise() & 0xFFFU,
        noise() & 0xFFFU,
        noise(),
        noise() & 0xFFFFU
    );
}

// `has_detail` off: only digests tell, as for a reader of the operational topic alone.
Timeline render(const Script& script, unsigned noise_seed, bool has_detail = true) {
    std::mt19937 noise(noise_seed);
    TimelineForTest story(fmt::format("run_{}", noise_seed));
    for (const Deed& deed : script) {
        const std::string request = uuid(noise);
        const std::string args = fmt::format(
            R"({{"item":{},"request":"{}","created_at":"2026-09-21T10:{:02}:00Z"}})",
            deed.item,
            request,
            noise() % 60
        );
        const std::string result = fmt::format(
            R"({{"answer":{},"for":"{}","took_ms":{}}})", deed.answer, request, noise() % 900
        );
        const std::string detail = R"({"attributes":{"gen_ai.tool.call.arguments":)" + args +
                                   R"(,"gen_ai.tool.call.result":)" + result + "}}";
        switch (deed.kind) {
            case StepKind::inference:
                story.inference(deed.agent, deed.name, 0.01, 100 + noise() % 9);
                break;
            case StepKind::decision:
                story.decision(deed.agent, deed.name, {"planner", "validator", "writer"});
                break;
            case StepKind::handoff:
                story.handoff(deed.agent, deed.name);
                break;
            default:
                story.tool(deed.agent, deed.name, deed.outcome);
                story.last_event().args_digest = story.text("e2ee:" + args);
                story.last_event().args_shape_digest =
                    story.text("e2ee:" + deed.name + std::to_string(args.size()));
                story.last_event().result_digest =
                    has_detail ? story.text("e2ee:" + result)
                               : story.text(fmt::format("e2ee:{}", deed.answer));
                if (has_detail) story.detail(detail);
        }
        story.wait(0.001 * static_cast<double>(noise() % 100));
    }
    return story.finish();
}

SessionDiff diff_of(Timeline& a, Timeline& b, Alignment alignment = Alignment::tool_args) {
    DiffSettings settings;
    settings.alignment = alignment;
    return diff_sessions(a, b, settings);
}

struct Planted {
    Script script;
    std::size_t at = 0;
    StepChange change = StepChange::equal;
};

// Something else happens at one step.
Planted plant(const Script& script, std::mt19937& random, int kind) {
    Planted planted{script, 0, StepChange::changed};
    do {
        planted.at = random() % script.size();
    } while (script[planted.at].kind != StepKind::tool);
    Deed& deed = planted.script[planted.at];
    switch (kind) {
        case 0:
            deed.item += 4'000;
            planted.change = StepChange::changed_arguments;
            break;
        case 1:
            deed.answer += 4'000;
            planted.change = StepChange::changed_result;
            break;
        case 2:
            deed.outcome = EventOutcome::timeout;
            planted.change = StepChange::changed_result;
            break;
        case 3:
            deed.name = "fs.delete";
            planted.change = StepChange::changed;
            break;
        case 4:
            planted.script.erase(planted.script.begin() + static_cast<std::ptrdiff_t>(planted.at));
            planted.change = StepChange::removed;
            break;
        default:
            planted.script.insert(
                planted.script.begin() + static_cast<std::ptrdiff_t>(planted.at),
                {StepKind::tool, "writer", "fs.delete", 77, 78, EventOutcome::ok}
            );
            planted.change = StepChange::added;
    }
    return planted;
}

std::string text_of(Timeline& a, Timeline& b, bool shows_all = false) {
    DiffSettings settings;
    settings.shows_all = shows_all;
    const SessionDiff diff = diff_sessions(a, b, settings);
    std::ostringstream out;
    write_diff_text(a, b, diff, settings, out);
    return out.str();
}

}  // namespace

TEST_CASE("a planted divergence is found at its step, in fifty pairs of runs") {
    std::mt19937 random(11);
    for (int pair = 0; pair < 50; ++pair) {
        const Script script = make_script(random);
        const Planted planted = plant(script, random, pair % 6);
        Timeline a = render(script, 1'000U + static_cast<unsigned>(pair));
        Timeline b = render(planted.script, 2'000U + static_cast<unsigned>(pair));
        INFO("pair " << pair << " at step " << planted.at);
        const SessionDiff diff = diff_of(a, b);
        REQUIRE(diff.is_diverged());
        const AlignedStep& row = diff.rows[diff.first_divergence];
        CHECK(row.change == planted.change);
        const std::uint32_t step = row.left != no_index ? row.left : row.right;
        CHECK(step == planted.at);
        CHECK(diff.edits == 1);
        CHECK(diff.similarity > 0.9);
        CHECK(diff.similarity < 1.0);
    }
}

TEST_CASE("runs that differ in ids, times and durations alone do not diverge") {
    std::mt19937 random(12);
    for (unsigned pair = 0; pair < 50; ++pair) {
        const Script script = make_script(random);
        Timeline a = render(script, 3'000U + pair);
        Timeline b = render(script, 4'000U + pair);
        const SessionDiff diff = diff_of(a, b);
        INFO("pair " << pair);
        CHECK_FALSE(diff.is_diverged());
        CHECK(diff.similarity == 1.0);
        CHECK(diff.masked.size() > 3);  // and what was set aside is told
    }
}

TEST_CASE("without detail, arguments of the same shape are set aside and counted") {
    std::mt19937 random(13);
    const Script script = make_script(random);
    Timeline a = render(script, 1, false);
    Timeline b = render(script, 2, false);
    const SessionDiff diff = diff_of(a, b);
    CHECK_FALSE(diff.is_diverged());
    CHECK(diff.masked_unseen > 0);
    CHECK(text_of(a, b).find("of the same shape") != std::string::npos);
}

TEST_CASE("an id that both runs know is no noise") {
    const auto run = [](const std::string& customer, unsigned seed) {
        TimelineForTest story(fmt::format("run_{}", seed));
        const std::string known = "0b9e8a50-77aa-4c55-9b11-aa0102030405";
        for (const std::string& id : {known, customer}) {
            story.tool("planner", "customer.get");
            story.last_event().args_digest = story.text("k:" + id);
            story.detail(R"({"attributes":{"gen_ai.tool.call.arguments":{"id":")" + id + "\"}}}");
        }
        return story.finish();
    };
    Timeline a = run("0b9e8a50-77aa-4c55-9b11-aa0102030405", 1);
    Timeline b = run("11111111-2222-4333-8444-555555555555", 2);
    const SessionDiff diff = diff_of(a, b);
    REQUIRE(diff.is_diverged());
    CHECK(diff.rows[diff.first_divergence].left == 1);
    CHECK(diff.rows[diff.first_divergence].change == StepChange::changed_arguments);
}

TEST_CASE("a later step that was given a value of the diverged result is carried") {
    const auto run = [](const std::string& order) {
        TimelineForTest story("run_" + order);
        const auto call = [&](const char* tool, const std::string& args, const std::string& result
                          ) {
            story.tool("planner", tool);
            story.last_event().args_digest = story.text("k:" + args);
            story.last_event().result_digest = story.text("k:" + result);
            story.detail(
                R"({"attributes":{"gen_ai.tool.call.arguments":)" + args +
                R"(,"gen_ai.tool.call.result":)" + result + "}}"
            );
        };
        call("orders.find", R"({"customer":"C-4711"})", R"({"order":")" + order + "\"}");
        call("mail.read", R"({"box":"inbox"})", R"({"count":3})");
        call("orders.cancel", R"({"order":")" + order + "\"}", R"({"done":true})");
        call("mail.send", R"({"text":"about )" + order.substr(0, 1) + "\"}", R"({"sent":true})");
        return story.finish();
    };
    Timeline a = run("A-10001");
    Timeline b = run("B-20002");
    const SessionDiff diff = diff_of(a, b);
    REQUIRE(diff.rows.size() == 4);
    CHECK(diff.first_divergence == 0);
    CHECK(diff.rows[0].change == StepChange::changed_result);
    CHECK(diff.rows[0].carried_from == no_index);
    CHECK(diff.rows[1].change == StepChange::equal);
    CHECK(diff.rows[2].change == StepChange::changed_arguments);
    CHECK(diff.rows[2].carried_from == 0);
    CHECK(diff.rows[3].carried_from == no_index);  // no equal value: a later difference
    const std::string text = text_of(a, b);
    INFO(text);
    CHECK(text.find("carried from step 1") != std::string::npos);
    CHECK(text.find("later difference") != std::string::npos);
    CHECK(text.find("output order: A-10001 → B-20002") != std::string::npos);
}

TEST_CASE("a decision that went elsewhere is named by its number, and states are compared") {
    const auto run = [](const char* chosen, const char* state) {
        TimelineForTest story(chosen);
        story.decision("planner", "validator", {"validator", "refund"});
        story.state("s1");
        story.decision("planner", chosen, {"validator", "refund"});
        story.state(state);
        story.tool(chosen, "mail.send");
        return story.finish();
    };
    Timeline a = run("validator", "s2");
    Timeline b = run("refund", "s3");
    const SessionDiff diff = diff_of(a, b);
    REQUIRE(diff.branches.size() == 1);
    CHECK(diff.branches[0].number == 2);
    CHECK(diff.branches[0].left == "validator");
    CHECK(diff.branches[0].right == "refund");
    CHECK(diff.states.left == 2);
    CHECK(diff.states.common_begin == 1);
    CHECK(diff.rows[1].change == StepChange::changed_result);
    CHECK(diff.rows[2].change == StepChange::changed);  // another agent's call
    CHECK(
        text_of(a, b).find("decision 2 took another branch: validator → refund") !=
        std::string::npos
    );
}

TEST_CASE("steps can be aligned by position and by state") {
    Script script;
    for (int i = 0; i < 6; ++i)
        script.push_back({StepKind::tool, "planner", "db.query", 100 + i, 200 + i, EventOutcome::ok});
    Timeline a = render(script, 1);
    script.erase(script.begin());
    Timeline b = render(script, 2);
    CHECK(diff_of(a, b).edits == 1);
    CHECK(diff_of(a, b, Alignment::position).edits == 6);
    CHECK(diff_of(a, b, Alignment::position).rows.size() == 6);
    CHECK(diff_of(a, b, Alignment::state).is_diverged());
}

TEST_CASE("two empty runs, and one, are compared") {
    Timeline a = TimelineForTest("a").finish();
    Timeline b = TimelineForTest("b").finish();
    CHECK_FALSE(diff_of(a, b).is_diverged());
    Timeline c = payment_story();
    const SessionDiff diff = diff_of(a, c);
    CHECK(diff.first_divergence == 0);
    CHECK(diff.similarity == 0.0);
    Timeline again = payment_story();
    CHECK_FALSE(diff_of(c, again).is_diverged());
}

TEST_CASE("digests of two tenants are not compared, and the text says so") {
    Timeline a = payment_story();
    Timeline b = payment_story();
    b.tenant_id = "other";
    for (StoryEvent& event : b.events) {
        if (event.args_digest != no_text) event.args_digest = b.texts.intern("e2ee:9999");
    }
    const SessionDiff diff = diff_of(a, b);
    CHECK_FALSE(diff.has_comparable_digests);
    CHECK_FALSE(diff.is_diverged());
    CHECK(text_of(a, b).find("digests were not compared") != std::string::npos);
}

TEST_CASE("the text shows the same rows between the differing ones on request only") {
    std::mt19937 random(14);
    const Script script = make_script(random);
    const Planted planted = plant(script, random, 1);
    Timeline a = render(script, 1);
    Timeline b = render(planted.script, 2);
    const auto lines = [](const std::string& text) {
        return std::count(text.begin(), text.end(), '\n');
    };
    const std::string some = text_of(a, b);
    const std::string all = text_of(a, b, true);
    CHECK(lines(all) > lines(some));
    CHECK(some.find("the same") != std::string::npos);
    std::istringstream in(all);
    for (std::string line; std::getline(in, line);) {
        INFO(line);
        CHECK(std::count_if(line.begin(), line.end(), [](char c) {
                  return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
              }) <= 100);
    }
    CHECK(all.find('\x1b') == std::string::npos);
}

TEST_CASE("names of a run cannot write to the terminal") {
    Timeline a = payment_story();
    TimelineForTest hostile("sess_\x1b[2J\u202Egnp");
    hostile.tool("evil\x1b]0;x\x07", "rm\x1b[31m");
    Timeline b = hostile.finish();
    const std::string text = text_of(a, b, true);
    CHECK(text.find('\x1b') == std::string::npos);
    CHECK(text.find('\x07') == std::string::npos);
    CHECK(text.find("\u202E") == std::string::npos);
}

TEST_CASE("the JSON has a version, the first divergence and every row that differs") {
    Timeline a = payment_story();
    TimelineForTest other("sess_b");
    other.inference("planner", "gpt-4.1", 0.31, 2'400);
    Timeline b = other.finish();
    DiffSettings settings;
    const SessionDiff diff = diff_sessions(a, b, settings);
    std::ostringstream out;
    write_diff_json(a, b, diff, settings, out);
    const std::string json = out.str();
    ContentReader reader;
    REQUIRE(reader.values_of(json).size() > 20);  // it is JSON
    CHECK(json.starts_with(R"({"spangate_diff":1,"a":{"tenant_id":"default","session_id":)"));
    CHECK(json.find(R"("diverged":true,"first_divergence":{"row":)") != std::string::npos);
    CHECK(json.find(R"("change":"removed")") != std::string::npos);
    CHECK(json.find(R"("change":"equal")") == std::string::npos);
}

}  // namespace spangate
