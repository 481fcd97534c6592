#include "interpret/price_table.h"

#include <cmath>
#include <random>
#include <string>

#include <catch2/catch.hpp>

#include "base/text.h"

using namespace spangate;

namespace {

const std::string head =
    "schema: agent-prices/1\n"
    "version: \"1\"\n"
    "prices:\n";

WallNanos at(std::string_view day) {
    return from_rfc3339(std::string(day) + "T12:00:00Z").value();
}

const WallNanos now = at("2026-11-21");

std::shared_ptr<const PriceTable> table_of(const std::string& entries) {
    auto loaded = load_prices(head + entries, "mine.yaml");
    if (!loaded) FAIL(loaded.error().message);
    return *loaded;
}

std::string faults_of(const std::string& yaml) {
    const auto loaded = load_prices(yaml, "mine.yaml");
    return loaded ? std::string() : loaded.error().message;
}

const PriceTable& builtin() {
    static const auto table = load_prices(builtin_prices(), "built-in").value();
    return *table;
}

// Of a million fresh prompt tokens; below 0: no price.
double input_of(
    const PriceTable& table, std::string_view provider, std::string_view model, WallNanos time = now
) {
    const PriceMatch match = table.find(provider, model, time);
    return match.price == nullptr ? -1 : match.price->rates.input;
}

}  // namespace

TEST_CASE("each kind of token has its price, and the prompt has the cached ones in it") {
    const auto table = table_of(
        "  - {model: m, input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, reasoning: 20}\n"
    );
    const Price& price = table->prices()[0];
    CHECK(price.cost_of({1'000'000, 0, 0, 0, 0}) == Approx(3));
    CHECK(price.cost_of({0, 1'000'000, 0, 0, 0}) == Approx(15));
    CHECK(price.cost_of({1'000'000, 0, 600'000, 300'000, 0}) == Approx(0.3 + 0.18 + 1.125));
    CHECK(price.cost_of({0, 1'000'000, 0, 0, 400'000}) == Approx(9 + 8));
    CHECK(price.cost_of({152, 40, 32, 64, 10}) == Approx((56 * 3 + 9.6 + 240 + 450 + 200) / 1e6));
    CHECK(price.cost_of({}) == 0);
}

TEST_CASE("prices that an entry leaves out are those of input and of output") {
    const auto table = table_of("  - {model: m, input: 2, output: 8}\n");
    const Price& price = table->prices()[0];
    CHECK(price.cost_of({1'000'000, 0, 500'000, 500'000, 0}) == Approx(2));
    CHECK(price.cost_of({0, 1'000'000, 0, 0, 1'000'000}) == Approx(8));
}

TEST_CASE("cached and reasoning tokens that a client counts beside the others make no cost negative"
) {
    const auto table = table_of("  - {model: m, input: 10, output: 10, cache_read: 1}\n");
    const Price& price = table->prices()[0];
    CHECK(price.cost_of({100, 0, 1'000'000, 0, 0}) == Approx(1));
    CHECK(price.cost_of({0, 5, 0, 0, 1'000'000}) == Approx(10));
    CHECK(price.cost_of({-5, -5, -5, -5, -5}) == 0);
}

TEST_CASE("the largest counters at the highest price give a finite cost") {
    const auto table = table_of("  - {model: m, input: 1000000, output: 1000000}\n");
    constexpr std::int64_t most = (std::int64_t{1} << 53) - 1;
    const double cost = table->prices()[0].cost_of({most, most, most, most, most});
    CHECK(std::isfinite(cost));
    CHECK(cost > 0);
}

TEST_CASE("above a tier's prompt the whole call costs the tier's prices") {
    const auto table = table_of(
        "  - {model: m, input: 1, output: 10, cache_read: 0.1,\n"
        "     tiers: [{prompt_above: 100, input: 2, output: 15},\n"
        "             {prompt_above: 1000, input: 4, cache_read: 0.4}]}\n"
    );
    const Price& price = table->prices()[0];
    CHECK(price.cost_of({100, 100, 0, 0, 0}) == Approx((100 + 1000) / 1e6));
    CHECK(price.cost_of({101, 100, 1, 0, 0}) == Approx((200 + 0.1 + 1500) / 1e6));
    CHECK(price.cost_of({1001, 100, 1, 0, 0}) == Approx((4000 + 0.4 + 1000) / 1e6));
}

TEST_CASE("more tokens never cost less") {
    std::mt19937_64 random(20261121);
    const auto count = [&random] {
        return static_cast<std::int64_t>(random() >> (11 + random() % 50));
    };
    for (const Price& price : builtin().prices()) {
        for (int i = 0; i < 50; ++i) {
            const TokenCounts few{count(), count(), 0, 0, 0};
            TokenCounts cached = few;
            cached.cache_read = few.prompt / 3;
            cached.cache_write = few.prompt / 5;
            cached.reasoning = few.completion / 2;
            for (const TokenCounts& base : {few, cached}) {
                const double cost = price.cost_of(base);
                TokenCounts more = base;
                more.prompt += count();
                CHECK(price.cost_of(more) >= cost);
                more.completion += count();
                CHECK(price.cost_of(more) >= cost);
                const std::int64_t read = count();
                more.prompt += read;
                more.cache_read += read;
                CHECK(price.cost_of(more) >= cost);
                CHECK(cost >= 0);
            }
        }
    }
}

TEST_CASE("a glob's stars stand for any text, also none") {
    CHECK(matches_glob("gpt-5*", "gpt-5"));
    CHECK(matches_glob("gpt-5*", "gpt-5-mini"));
    CHECK(matches_glob("*", ""));
    CHECK(matches_glob("*claude*v1*", "us.anthropic.claude-3-v1-v1:0"));
    CHECK(matches_glob("a*b*c", "axxbxbxc"));
    CHECK_FALSE(matches_glob("gpt-5", "gpt-5-mini"));
    CHECK_FALSE(matches_glob("a*b*c", "axxbxbx"));
    CHECK_FALSE(matches_glob("", "a"));
    CHECK_FALSE(matches_glob("gpt-5*", "my-gpt-5"));
}

TEST_CASE("the first entry that fits holds, by provider, model and time") {
    const auto table = table_of(
        "  - {provider: azure.*, model: GPT-9*, input: 7, output: 7}\n"
        "  - {model: gpt-9-mini, input: 2, output: 2}\n"
        "  - {model: [gpt-9*, gpt-8], input: 3, output: 3}\n"
    );
    CHECK(input_of(*table, "azure.ai.openai", "gpt-9-mini") == 7);
    CHECK(input_of(*table, "Azure.AI.OpenAI", "Gpt-9-Mini") == 7);
    CHECK(input_of(*table, "openai", "gpt-9-mini") == 2);
    CHECK(input_of(*table, "", "gpt-9-mini") == 2);
    CHECK(input_of(*table, "", "gpt-9") == 3);
    CHECK(input_of(*table, "", "gpt-8") == 3);
    CHECK(input_of(*table, "", "gpt-7") < 0);
    CHECK(input_of(*table, "", "") < 0);
    CHECK(input_of(*table, "", std::string(1000, 'g')) < 0);
    CHECK(input_of(*table, std::string(1000, 'p'), "gpt-8") < 0);
}

TEST_CASE("of dated entries the one in force at the call's time holds, and says for how long") {
    const auto table = table_of(
        "  - {model: m, from: 2026-06-01, until: 2026-12-01, input: 4, output: 1}\n"
        "  - {model: m, from: 2026-03-01, input: 3, output: 1}\n"
        "  - {model: m, until: '2026-01-01T00:00:00Z', input: 1, output: 1}\n"
    );
    CHECK(input_of(*table, "", "m", at("2025-12-31")) == 1);
    CHECK(input_of(*table, "", "m", at("2026-01-01")) < 0);
    CHECK(input_of(*table, "", "m", at("2026-05-31")) == 3);
    CHECK(input_of(*table, "", "m", at("2026-06-01")) == 4);
    CHECK(input_of(*table, "", "m", at("2026-12-01")) == 3);
    for (const char* day : {"2025-06-01", "2026-02-01", "2026-04-01", "2026-07-01", "2027-01-01"}) {
        const PriceMatch match = table->find("", "m", at(day));
        for (const WallNanos edge : {match.valid_from, match.valid_until - 1}) {
            CHECK(table->find("", "m", edge).price == match.price);
        }
        if (match.valid_until != for_ever) {
            CHECK(table->find("", "m", match.valid_until).price != match.price);
        }
    }
    CHECK(table->find("", "m", at("2026-02-01")).valid_until == table->prices()[1].from);
}

TEST_CASE("prices may hold for some hours of the day") {
    const auto table = table_of(
        "  - {model: m, hours: [1-4, 6-10], input: 2, output: 1}\n"
        "  - {model: m, input: 1, output: 1}\n"
    );
    const auto input_at = [&table](const char* time) {
        return input_of(*table, "", "m", from_rfc3339(time).value());
    };
    CHECK(input_at("2026-11-21T00:59:59Z") == 1);
    CHECK(input_at("2026-11-21T01:00:00Z") == 2);
    CHECK(input_at("2026-11-21T03:59:59Z") == 2);
    CHECK(input_at("2026-11-21T04:00:00Z") == 1);
    CHECK(input_at("2026-11-21T06:00:00Z") == 2);
    CHECK(input_at("2026-11-21T10:00:00Z") == 1);
    const WallNanos three = from_rfc3339("2026-11-21T03:10:00Z").value();
    CHECK(table->find("", "m", three).valid_until <= from_rfc3339("2026-11-21T04:00:00Z").value());
    CHECK(table->find("", "m", -1).price == &table->prices()[1]);
}

TEST_CASE("a model is found under the names that providers and libraries give it") {
    const PriceTable& table = builtin();
    CHECK(input_of(table, "openai", "gpt-4o") == 2.5);
    CHECK(input_of(table, "azure.ai.openai", "gpt-4o") == 2.5);
    CHECK(input_of(table, "", "openai/gpt-4o") == 2.5);
    CHECK(input_of(table, "openai", "gpt-4o-2024-11-20") == 2.5);
    CHECK(input_of(table, "openai", "gpt-4o-2024-05-13") == 5);
    CHECK(input_of(table, "openai", "gpt-5-mini-2025-08-07") == 0.25);
    CHECK(input_of(table, "openai", "gpt-5-something-else") < 0);
    CHECK(input_of(table, "gcp.gemini", "models/gemini-2.5-pro") == 1.25);
    CHECK(input_of(table, "gcp.vertex_ai", "claude-sonnet-4@20250514") == 3);
    CHECK(
        input_of(table, "gcp.vertex_ai", "publishers/anthropic/models/claude-opus-5@default") == 5
    );
    CHECK(input_of(table, "anthropic", "claude-haiku-4-5-20251001") == 1);
    CHECK(input_of(table, "groq", "openai/gpt-oss-120b") == 0.15);
    CHECK(input_of(table, "openrouter", "openai/gpt-oss-120b") < 0);
}

TEST_CASE("a Bedrock model is found by its id, with its geography and in an ARN") {
    const PriceTable& table = builtin();
    const std::string aws = "aws.bedrock";
    CHECK(input_of(table, aws, "anthropic.claude-sonnet-4-20250514-v1:0") == 3);
    CHECK(input_of(table, aws, "us.anthropic.claude-sonnet-4-20250514-v1:0") == 3);
    CHECK(input_of(table, aws, "us.anthropic.claude-haiku-4-5-20251001-v1:0") == 1.1);
    CHECK(input_of(table, aws, "global.anthropic.claude-haiku-4-5-20251001-v1:0") == 1);
    CHECK(input_of(table, aws, "amazon.nova-lite-v1:0") == 0.06);
    CHECK(input_of(table, aws, "amazon.titan-embed-text-v1") == 0.1);
    CHECK(input_of(table, aws, "amazon.titan-embed-text-v2:0") == 0.02);
    CHECK(
        input_of(
            table,
            aws,
            "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-pro-v1:0"
        ) == 0.8
    );
}

TEST_CASE("the built-in table's version is an Id and changes with its text") {
    const std::string version(builtin().version());
    CHECK(version.starts_with("2026-11-21-h"));
    CHECK(version.size() == std::string("2026-11-21-h").size() + 8);
    const auto one = load_prices(head + "  []\n", "a");
    const auto same = load_prices(head + "  []\n", "b");
    const auto other = load_prices(head + "  []\n# changed\n", "a");
    REQUIRE((one && same && other));
    CHECK((*one)->version() == (*same)->version());
    CHECK((*one)->version() != (*other)->version());
}

TEST_CASE("a file may put its own entries before the built-in ones") {
    const auto loaded = load_prices(
        "schema: agent-prices/1\nversion: ours\nextends: builtin\n"
        "prices: [{model: gpt-4o, input: 1, output: 2}]\n",
        "mine.yaml"
    );
    REQUIRE(loaded);
    CHECK(input_of(**loaded, "openai", "gpt-4o") == 1);
    CHECK(input_of(**loaded, "openai", "gpt-4.1") == 2);
    CHECK((*loaded)->version().starts_with("ours-h"));
}

TEST_CASE("all faults of a price file are told at once, each with its place") {
    const std::string faults = faults_of(
        "schema: agent-prices/2\n"
        "version: a b\n"
        "extends: other\n"
        "prices:\n"
        "  - {modle: m, input: 1, output: 1}\n"
        "  - {model: m, input: -1, output: x}\n"
        "  - {model: n, input: 1, cache_raed: 2}\n"
        "  - {model: o, from: soon, until: 2026-02-30, input: 1, output: 1, hours: 9-25}\n"
        "  - {model: p, from: 2026-02-02, until: 2026-02-02, input: 1, output: 1e9}\n"
        "  - {model: [], tiers: [{input: 1}, {prompt_above: 0}], input: nan, output: 1}\n"
        "  - 7\n"
    );
    CAPTURE(faults);
    for (const char* fault : {
             "mine.yaml:1:9: schema: agent-prices/1 is wanted",
             "mine.yaml:2:10: 1 to 64 letters, digits",
             "mine.yaml:3:10: extends: only `builtin`",
             "mine.yaml:5:6: unknown key 'modle'; did you mean 'model'?",
             "mine.yaml:5:5: model: a name or a list of names is wanted",
             "mine.yaml:6:23: input: USD per million tokens",
             "mine.yaml:6:35: a number is wanted here",
             "mine.yaml:7:26: unknown key 'cache_raed'; did you mean 'cache_read'?",
             "mine.yaml:7:5: input and output are wanted",
             "mine.yaml:8:22: a day such as 2026-01-31",
             "mine.yaml:8:35: a day such as 2026-01-31",
             "mine.yaml:8:75: hours of the day in UTC",
             "mine.yaml:9:41: until: a time after `from`",
             "mine.yaml:9:71: output: USD per million tokens",
             "mine.yaml:10:13: at least one name",
             "mine.yaml:10:25: prompt_above: is wanted",
             "mine.yaml:10:52: more than 0 and at most",
             "mine.yaml:11:5: a map is wanted here",
         }) {
        CAPTURE(fault);
        CHECK(faults.find(fault) != std::string::npos);
    }
}

TEST_CASE("an entry that an earlier one hides is a fault, and says which") {
    const auto with = [](const std::string& entries) {
        return faults_of(head + entries);
    };
    const std::string rates = ", input: 1, output: 1}\n";
    CHECK(
        with("  - {model: gpt*" + rates + "  - {model: gpt-5" + rates)
            .find("mine.yaml:5:5: never used: the entry in line 4") != std::string::npos
    );
    CHECK_FALSE(with("  - {model: m" + rates + "  - {model: m, from: 2026-01-01" + rates).empty());
    CHECK_FALSE(with("  - {model: m" + rates + "  - {provider: a, model: m" + rates).empty());
    CHECK_FALSE(with("  - {model: '*a*'" + rates + "  - {model: [xa*, a]" + rates).empty());
    CHECK(with("  - {model: m, from: 2026-01-01" + rates + "  - {model: m" + rates).empty());
    CHECK(with("  - {provider: a, model: m" + rates + "  - {model: m" + rates).empty());
    CHECK(with("  - {model: m, hours: 1-2" + rates + "  - {model: m" + rates).empty());
    CHECK(with("  - {model: gpt-5" + rates + "  - {model: gpt*" + rates).empty());
}

TEST_CASE("a file that is no price table is refused with what it should be") {
    CHECK(faults_of("").find("a map is wanted here") != std::string::npos);
    CHECK(faults_of("schema: agent-prices/1\n").find("prices: a list") != std::string::npos);
    CHECK(faults_of("schema: agent-prices/1\n").find("version: is wanted") != std::string::npos);
    CHECK(faults_of("a: [\n").find("mine.yaml:") != std::string::npos);
}
