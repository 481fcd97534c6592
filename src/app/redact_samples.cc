#include "app/redact_samples.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <optional>

#include "app/filter_rules.h"
#include "app/redaction_hits.h"
#include "app/sample_file.h"

namespace spangate {
namespace {

// What is wrong with one sample, a line each.
class SampleJudge {
  public:
    SampleJudge(const RuleSet& rules, const HashKey& key) : rules_(rules), finder_(rules, key) {}

    [[nodiscard]] std::vector<std::string> judge(const RedactSample& sample) {
        const KeyHints hints = sample.key.empty() ? KeyHints{} : hints_of(sample.key);
        hits_ = finder_.find(sample.text, hints);
        add_key_rule(sample);
        std::vector<std::string> faults;
        for (const ExpectedHit& expected : sample.expected) {
            if (!is_met(expected)) faults.push_back("miss: " + told(expected));
        }
        for (const RedactionHit& hit : hits_) {
            if (is_expected(hit, sample.expected)) continue;
            faults.push_back("false alarm: " + told(hit));
        }
        return faults;
    }

  private:
    // The attribute's own key rule takes its value whole.
    void add_key_rule(const RedactSample& sample) {
        if (sample.key.empty()) return;
        const KeyRule rule = rules_.key_rule(sample.key);
        if (rule != KeyRule::drop && rule != KeyRule::hash) return;
        const RuleId id = rule == KeyRule::drop ? rules::key_drop : rules::key_hash;
        hits_ = {{id, HitPlace::value, true, 0, sample.text.size(), {}}};
    }

    [[nodiscard]] bool fits(const RedactionHit& hit, const ExpectedHit& expected) const {
        if (rules_.name(hit.rule) != expected.kind) return false;
        return !expected.has_span || (hit.begin == expected.begin && hit.end == expected.end);
    }

    [[nodiscard]] bool is_met(const ExpectedHit& expected) const {
        return std::any_of(hits_.begin(), hits_.end(), [&](const RedactionHit& hit) {
            return fits(hit, expected);
        });
    }

    [[nodiscard]] bool is_expected(
        const RedactionHit& hit, const std::vector<ExpectedHit>& expected
    ) const {
        return std::any_of(expected.begin(), expected.end(), [&](const ExpectedHit& one) {
            return fits(hit, one);
        });
    }

    [[nodiscard]] static std::string span_text(std::size_t begin, std::size_t end) {
        return " at bytes " + std::to_string(begin) + " to " + std::to_string(end);
    }

    [[nodiscard]] static std::string told(const ExpectedHit& expected) {
        return expected.kind + (expected.has_span ? span_text(expected.begin, expected.end) : "");
    }

    [[nodiscard]] std::string told(const RedactionHit& hit) const {
        return std::string(rules_.name(hit.rule)) + span_text(hit.begin, hit.end);
    }

    const RuleSet& rules_;
    HitFinder finder_;
    std::vector<RedactionHit> hits_;
};

bool names_known_rules(
    const std::string& path, const std::vector<RedactSample>& samples, const RuleSet& rules
) {
    bool are_known = true;
    for (const RedactSample& sample : samples) {
        for (const ExpectedHit& expected : sample.expected) {
            bool is_known = false;
            for (std::size_t rule = 0; rule < rules.rules_count(); ++rule)
                is_known = is_known || rules.name(static_cast<RuleId>(rule)) == expected.kind;
            if (is_known) continue;
            std::fprintf(
                stderr,
                "%s:%u:%u: no rule is called '%s'\n",
                path.c_str(),
                expected.place.line,
                expected.place.column,
                expected.kind.c_str()
            );
            are_known = false;
        }
    }
    return are_known;
}

}  // namespace

ExitCode check_redact_samples(const std::string& path, const RedactConfig& config) {
    const std::optional<FilterRules> rules = make_filter_rules(config);
    if (!rules) return ExitCode::usage;
    const Result<std::vector<RedactSample>> samples = read_redact_samples(path);
    if (!samples) {
        std::fprintf(stderr, "%s\n", samples.error().message.c_str());
        return samples.error().code == ErrorCode::io ? ExitCode::broken : ExitCode::usage;
    }
    if (!names_known_rules(path, *samples, *rules->rules)) return ExitCode::usage;
    SampleJudge judge(*rules->rules, *rules->key);
    std::size_t failed = 0;
    for (const RedactSample& sample : *samples) {
        const std::vector<std::string> faults = judge.judge(sample);
        if (!faults.empty()) ++failed;
        const std::string name = sample.name.empty() ? "" : " (" + sample.name + ")";
        for (const std::string& fault : faults) {
            std::printf("%s:%u: %s%s\n", path.c_str(), sample.line, fault.c_str(), name.c_str());
        }
    }
    std::printf(
        "%s: %zu samples, %zu as expected, %zu not\n",
        path.c_str(),
        samples->size(),
        samples->size() - failed,
        failed
    );
    return failed == 0 ? ExitCode::clean : ExitCode::findings;
}

}  // namespace spangate
