// What redaction costs: µs of CPU per span, for the whole redact room and for detection alone, with
// no detectors, the ten cheapest and all of them, beside bare RE2 running patterns of the same
// kinds one by one over the same texts. All arms take turns in every round; medians are printed.
//
//     redact_bench [ROUNDS [payload|captures [ARM]]]   a table for people; one arm for a profiler
//     redact_bench tsv ROUNDS                          the payload's figures for redact.py
//     redact_bench patterns COUNT                      the patterns that RE2 runs, one a line
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <re2/re2.h>

#include "redact/detector.h"
#include "redact/redactor.h"
#include "redact_workload.h"

namespace spangate {
namespace {

double thread_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

struct Kind {
    std::string_view detector;
    std::string_view pattern;
};

// Cheapest first, by our own figures; ten of them make the arm «ten». The patterns are those that
// gateways are configured with: they know no checksum, no issuer and no telling key.
constexpr std::array<Kind, 14> kinds = {{
    {"private_key", R"(-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)"},
    {"jwt", R"(eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]*)"},
    {"bearer", R"((?i:bearer|basic)\s+[A-Za-z0-9._~+/=-]{12,})"},
    {"url_credentials", R"(://[^\s/:@]*:[^\s/@]+@)"},
    {"email", R"([A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,})"},
    {"mac", R"(\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b)"},
    {"ip", R"(\b(?:\d{1,3}\.){3}\d{1,3}\b)"},
    {"vendor_keys", R"(\b(?:AKIA|ASIA|AIza|sk-|sk_live_|ghp_|glpat-|xox[bp]-|hf_|npm_)[\w-]{16,})"},
    {"iban", R"(\b[A-Z]{2}\d{2}[ ]?(?:[A-Z0-9]{4}[ ]?){2,7}[A-Z0-9]{1,4}\b)"},
    {"ssn", R"(\b\d{3}-\d{2}-\d{4}\b)"},
    {"card",
     R"(\b(?:4\d{3}|5[1-5]\d{2}|6011|3[47]\d{2})[ -]?\d{4,6}[ -]?\d{4,5}(?:[ -]?\d{4})?\b)"},
    {"phone", R"((?:\+\d{1,3}[ .-]?)?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}\b)"},
    {"connection_string", R"((?i:password|pwd|accountkey|sharedaccesskey)=[^;\s"]+)"},
    {"entropy", R"((?i:secret|token|api_?key|password)["']?\s*[:=]\s*["']?[^\s"',;]{8,})"},
}};

std::vector<std::string> detector_list(std::size_t count) {
    std::vector<std::string> names;
    for (const Kind& kind : std::span(kinds).first(count))
        names.emplace_back(kind.detector);
    return names;
}

struct Arm {
    std::string name;
    std::function<double()> run;  // µs of CPU per span
    std::vector<double> rounds;

    // What it costs more than `floor`, turn by turn: neighbours slow both.
    [[nodiscard]] double added(const Arm& floor_arm) const {
        std::vector<double> differences;
        for (std::size_t i = 0; i < rounds.size(); ++i)
            differences.push_back(rounds[i] - floor_arm.rounds[i]);
        return quantile(std::move(differences), 0.5);
    }

    [[nodiscard]] static double quantile(std::vector<double> values, double share) {
        std::sort(values.begin(), values.end());
        return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
    }
};

RedactConfig config_with(std::vector<std::string> detectors) {
    RedactConfig config;
    config.detectors = std::move(detectors);
    return config;
}

// One redactor and its rules.
struct Room {
    explicit Room(std::vector<std::string> detectors)
        : config(config_with(std::move(detectors))),
          rules(*RuleSet::compile(config)),
          redactor(config, evidence, rules, key, metrics) {}

    RedactConfig config;
    EvidenceConfig evidence;
    HashKey key{"a key for benchmarks"};
    Metrics metrics;
    std::shared_ptr<const RuleSet> rules;
    Redactor redactor;
};

double room_us(Room& room, Workload& workload, Arena& arena) {
    EventBatch events = workload.next_batch(arena);
    const auto spans = static_cast<double>(events.items.size());
    const double start = thread_cpu_us();
    const ReleasedBatch released = room.redactor.redact(std::move(events));
    return (thread_cpu_us() - start) / spans;
}

double detection_us(const RuleSet& rules, const std::vector<Text>& texts, std::size_t spans) {
    std::vector<Match> matches;
    const double start = thread_cpu_us();
    for (const Text& text : texts)
        rules.find(text.text, text.hints, matches);
    return (thread_cpu_us() - start) / static_cast<double>(spans);
}

// All matches of every pattern in every text, as a redaction needs them.
double re2_us(
    std::span<const std::unique_ptr<re2::RE2>> patterns,
    const std::vector<Text>& texts,
    std::size_t spans
) {
    const double start = thread_cpu_us();
    for (const Text& text : texts) {
        const re2::StringPiece input(text.text.data(), text.text.size());
        for (const auto& pattern : patterns) {
            re2::StringPiece hit;
            std::size_t from = 0;
            while (pattern->Match(input, from, input.size(), re2::RE2::UNANCHORED, &hit, 1))
                from = static_cast<std::size_t>(hit.data() - input.data()) + hit.size();
        }
    }
    return (thread_cpu_us() - start) / static_cast<double>(spans);
}

// The rooms stand first and together, so that a turn of one is held against a neighbour's.
class Arms {
  public:
    Arms(Workload& workload, const std::vector<Text>& texts, std::size_t spans) {
        for (const Kind& kind : kinds)
            patterns_.push_back(std::make_unique<re2::RE2>(re2::StringPiece(kind.pattern)));
        for (const auto& [name, count] : sets) {
            rooms_.push_back(std::make_unique<Room>(detector_list(count)));
            add("room", name, [this, &workload, &room = *rooms_.back()] {
                return room_us(room, workload, arena_);
            });
        }
        for (std::size_t i = 0; i < sets.size(); ++i) {
            const auto& [name, count] = sets[i];
            add("detection", name, [&rules = *rooms_[i]->rules, &texts, spans] {
                return detection_us(rules, texts, spans);
            });
            if (count == 0) continue;
            add("RE2", name, [this, &texts, spans, size = count] {
                return re2_us(std::span(patterns_).first(size), texts, spans);
            });
        }
    }

    void keep(std::string_view name) {
        std::erase_if(arms_, [&](const Arm& arm) { return !arm.name.starts_with(name); });
    }

    void run(std::size_t rounds) {
        constexpr std::size_t warm_up_rounds = 4;
        for (std::size_t round = 0; round < rounds + warm_up_rounds; ++round) {
            for (Arm& arm : arms_) {
                const double us = arm.run();
                if (round >= warm_up_rounds) arm.rounds.push_back(us);
            }
        }
    }

    // Arm, median, tenth percentile, what it adds to the first arm (0 for arms that are no room).
    void print(bool as_table) const {
        for (const Arm& arm : arms_) {
            const bool has_floor = arm.name.starts_with("room") && &arm != &arms_.front();
            const double added = has_floor ? arm.added(arms_.front()) : 0;
            const double median = Arm::quantile(arm.rounds, 0.5);
            const double low = Arm::quantile(arm.rounds, 0.1);
            if (as_table) {
                std::printf(
                    "  %-16s %8.2f µs CPU per item (tenth percentile %.2f)",
                    arm.name.c_str(),
                    median,
                    low
                );
                if (has_floor) std::printf("   %+.2f over none", added);
                std::printf("\n");
            } else {
                std::printf("%s\t%.3f\t%.3f\t%.3f\n", arm.name.c_str(), median, low, added);
            }
        }
    }

  private:
    static constexpr std::array<std::pair<std::string_view, std::size_t>, 3> sets = {
        {{"none", 0}, {"ten", 10}, {"all", kinds.size()}}};

    void add(std::string_view what, std::string_view set, std::function<double()> run) {
        arms_.push_back({std::string(what) + ", " + std::string(set), std::move(run), {}});
    }

    Arena arena_;
    std::vector<std::unique_ptr<re2::RE2>> patterns_;
    std::vector<std::unique_ptr<Room>> rooms_;
    std::vector<Arm> arms_;
};

struct Wish {
    std::size_t rounds = 200;
    std::string_view arm;  // the start of its name; empty: all
    bool as_table = true;
};

void report(Workload& workload, const Wish& wish) {
    Arena arena_of_texts;
    const EventBatch events = workload.next_batch(arena_of_texts);
    const std::vector<Text> texts = workload.texts(events);
    const std::size_t spans = events.items.size();
    std::size_t bytes = 0;
    for (const Text& text : texts)
        bytes += text.text.size();
    Arms arms(workload, texts, spans);
    arms.keep(wish.arm);
    arms.run(wish.rounds);
    if (wish.as_table) {
        std::printf(
            "%s: %zu items, %.1f texts and %.0f bytes an item\n",
            workload.name().c_str(),
            spans,
            static_cast<double>(texts.size()) / static_cast<double>(spans),
            static_cast<double>(bytes) / static_cast<double>(spans)
        );
    }
    arms.print(wish.as_table);
}

}  // namespace
}  // namespace spangate

int main(int argc, char** argv) {
    const std::vector<std::string_view> words(argv + 1, argv + argc);
    const auto word = [&words](std::size_t i) {
        return i < words.size() ? words[i] : std::string_view();
    };
    const auto number = [&word](std::size_t i, std::size_t otherwise) {
        return word(i).empty() ? otherwise : std::strtoul(word(i).data(), nullptr, 10);
    };
    if (word(0) == "patterns") {
        const std::size_t count =
            std::min(number(1, spangate::kinds.size()), spangate::kinds.size());
        for (const spangate::Kind& kind : std::span(spangate::kinds).first(count))
            std::printf("%s\n", std::string(kind.pattern).c_str());
        return 0;
    }
    const std::filesystem::path root = SPANGATE_SOURCE_DIR;
    spangate::Workload payload("payload/agent64.pb");
    spangate::add_payload(payload, root);
    if (word(0) == "tsv") {
        spangate::report(payload, {number(1, 200), "", false});
        return 0;
    }
    const spangate::Wish wish{number(0, 200), word(2), true};
    if (word(1).empty() || word(1) == "payload") spangate::report(payload, wish);
    if (word(1).empty() || word(1) == "captures") {
        spangate::Workload captures("tests/captures");
        spangate::add_captures(captures, root);
        spangate::report(captures, wish);
    }
    return 0;
}
