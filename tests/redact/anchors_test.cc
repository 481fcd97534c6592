#include "redact/anchors.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "redact/anchors_reference.h"
#include "redact/scan.h"

namespace spangate {
namespace {

constexpr std::size_t texts_count = 4000;

// Texts of pieces that detectors look for, cut and glued at random.
class RandomTexts {
  public:
    std::string next() {
        std::string text;
        const std::size_t pieces_count = random_() % 12;
        for (std::size_t i = 0; i < pieces_count; ++i) {
            const std::string_view piece = pieces[random_() % pieces.size()];
            text += piece.substr(0, 1 + random_() % piece.size());
            if (random_() % 4 == 0) text += static_cast<char>(random_() % 256);
        }
        return text;
    }

  private:
    static constexpr std::array<std::string_view, 40> pieces = {
        "jane.doe@example.com",
        "jane%40example.com",
        "4111 1111 1111 1111",
        "+1 (415) 555-0132",
        "020 7946 0958",
        "DE89370400440532013000",
        "de89 3704 0044 0532 0130 00",
        "078-05-1120",
        "ssn 078051120",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJqYW5lIn0.c2ln",
        "Bearer 0123456789abcdef",
        "basic amFuZTpodW50ZXIy",
        "AKIAIOSFODNN7EXAMPLE",
        "SG.abcdefghijklmnopqrst.0123456789",
        "ya29.abcdefghijklmnopqrstuvwxyz01",
        "sk-proj-abcdefghij0123456789AB",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "-----BEGIN RSA PRIVATE KEY-----\n",
        "-----END RSA PRIVATE KEY-----",
        "https://jane:pa55@example.com/x",
        "Password=pa55;",
        "\"api_key\": \"abcDEF0123456789xyz\"",
        "password=hunter2",
        "192.168.10.20",
        "2001:db8::8a2e:370:7334",
        "00:1A:2B:3C:4D:5E",
        "00-1A-2B-3C-4D-5E",
        "10:11:12",
        "2024-05-01",
        "9d0f-3b6a",
        "the quick brown fox ",
        "{\"a\":",
        "\\n",
        "\"",
        " ",
        "jane\xEF\xBC\xA0"
        "example.com",
        "\xC3\xA0",
        "abc8Q~abcdefghijklmnopqrstuvwxyz012345678",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
        "0"};

    std::mt19937 random_{42};
};

// A copy that ends where its memory ends, so that the sanitizers see a byte too many.
struct ExactCopy {
    explicit ExactCopy(std::string_view text)
        : bytes(std::make_unique<char[]>(text.size())),
          size(text.size()) {
        std::copy(text.begin(), text.end(), bytes.get());
    }

    [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }

    std::unique_ptr<char[]> bytes;
    std::size_t size;
};

TEST_CASE("every engine finds the anchors that a look at every byte finds") {
    RandomTexts texts;
    for (std::size_t i = 0; i < texts_count; ++i) {
        const ExactCopy copy(texts.next());
        const Anchors expected = reference_anchors(copy.view());
        for (const AnchorEngine engine : engines()) {
            if (engine_anchors(copy.view(), engine) == expected) continue;
            INFO(copy.view());
            INFO("engine " << static_cast<int>(engine));
            FAIL_CHECK("other anchors");
        }
    }
}

TEST_CASE("an anchor is found wherever it stands in its block") {
    for (std::size_t before = 0; before < 3 * anchor_block_bytes; ++before) {
        for (std::size_t after = 0; after < anchor_block_bytes; after += 5) {
            const ExactCopy copy(
                std::string(before, 'x') + "DE89 4111 1111-@" + std::string(after, 'x')
            );
            for (const AnchorEngine engine : engines())
                CHECK(engine_anchors(copy.view(), engine) == reference_anchors(copy.view()));
        }
    }
}

using Finding = std::tuple<RuleId, std::uint32_t, std::uint32_t>;

std::vector<Finding> sorted(const std::vector<Match>& matches) {
    std::vector<Finding> findings;
    for (const Match& match : matches)
        findings.emplace_back(match.rule, match.begin, match.end);
    std::sort(findings.begin(), findings.end());
    findings.erase(std::unique(findings.begin(), findings.end()), findings.end());
    return findings;
}

TEST_CASE("the detectors find no more when they look at every byte") {
    RandomTexts texts;
    std::size_t found = 0;
    for (std::size_t i = 0; i < texts_count; ++i) {
        const std::string text = texts.next();
        std::vector<Match> matches;
        (void)detect_once(text, all_detectors, matches);
        std::vector<Match> all_matches;
        Scan scan{text, all_detectors, {}, all_matches};
        for (std::size_t at = 0; at < text.size(); ++at) {
            visit_mark(scan, at);
            if (at >= number_reach) visit_number(scan, at);
            const bool has_two = at >= 1 && is_digit(text[at]) && is_digit(text[at - 1]);
            if (has_two && (at < 2 || !is_digit(text[at - 2]))) visit_pair(scan, at);
        }
        INFO(text);
        CHECK(sorted(matches) == sorted(all_matches));
        found += matches.size();
    }
    CHECK(found > texts_count / 2);  // or the texts prove nothing
}

}  // namespace
}  // namespace spangate
