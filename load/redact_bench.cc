// What redaction costs: µs of CPU per span, for the whole redact room and for detection alone, with
// no detectors, the ten cheapest and all of them, beside bare RE2 running patterns of the same
// kinds one by one over the same texts. All arms take turns in every round; medians are printed.
//
//     redact_bench [rounds [workload [arm]]]    only that one: payload | captures, «detection, all»
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
#include "support/capture.h"
#include "support/interpret_context.h"

namespace spangate {
namespace {

constexpr std::size_t passes_per_round = 8;

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

struct Text {
    std::string_view text;
    KeyHints hints;
};

void add_value(const Value& value, KeyHints hints, std::vector<Text>& texts) {
    if (value.kind == ValueKind::string) {
        texts.push_back({value.text(), hints});
    } else if (value.kind == ValueKind::array) {
        for (const Value& item : value.array())
            add_value(item, hints, texts);
    } else if (value.kind == ValueKind::kvlist) {
        for (const Attribute& entry : value.kvlist())
            add_value(entry.value, hints_of(entry.key), texts);
    }
}

void add_attributes(std::span<const Attribute> attributes, std::vector<Text>& texts) {
    for (const Attribute& attribute : attributes)
        add_value(attribute.value, hints_of(attribute.key), texts);
}

void add_span(const SpanView& span, std::vector<Text>& texts) {
    texts.push_back({span.name, {}});
    texts.push_back({span.status_message, {}});
    add_attributes(span.attributes, texts);
    for (const SpanEventView& event : span.events) {
        texts.push_back({event.name, {}});
        add_attributes(event.attributes, texts);
    }
    for (const SpanLinkView& link : span.links)
        add_attributes(link.attributes, texts);
    if (span.is_log()) add_value(span.log->body.value, {}, texts);
}

// Requests as one batch, decoded again for every pass with trace ids that were never told.
class Workload {
  public:
    explicit Workload(std::string name) : name_(std::move(name)), decoder_(limits_) {}

    void add(Signal signal, BodyEncoding encoding, const std::string& bytes) {
        bodies_.push_back({signal, encoding, bytes});
    }

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] EventBatch next_batch(Arena& arena) {
        arena.reset();
        ++generation_;
        SpanBatch batch;
        batch.arena = &arena;
        for (const Source& source : bodies_)
            batch.requests.push_back(decode(source, arena));
        return interpreter_.interpret_batch(std::move(batch));
    }

    // All that detection looks at in one pass.
    [[nodiscard]] std::vector<Text> texts(const EventBatch& events) {
        std::vector<Text> texts;
        for (const AgentItem& item : events.items) {
            if (item.source != EventSource::gateway) add_span(*item.span, texts);
        }
        std::erase_if(texts, [](const Text& text) { return text.text.empty(); });
        return texts;
    }

  private:
    struct Source {
        Signal signal;
        BodyEncoding encoding;
        std::string bytes;
    };

    // The interpret room; the context of the tests keeps every batch, this one keeps none.
    class Interpreting {
      public:
        Interpreting()
            : conventions_(*load_conventions(builtin_conventions(), "conventions.yaml")),
              prices_(*load_prices(builtin_prices(), "prices.yaml")),
              key_("a key for benchmarks"),
              sessions_(config_.session_memory),
              usages_(config_.usage_memory),
              enricher_({}, DetectedResource{}),
              interpreter_(config_, {conventions_, prices_}, key_, sessions_, usages_, metrics_) {}

        [[nodiscard]] EventBatch interpret_batch(SpanBatch&& batch) {
            return interpreter_.interpret(enricher_.enrich(std::move(batch)));
        }

      private:
        InterpretConfig config_;
        std::shared_ptr<const Conventions> conventions_;
        std::shared_ptr<const PriceTable> prices_;
        HashKey key_;
        Metrics metrics_;
        SessionMemory sessions_;
        UsageMemory usages_;
        Enricher enricher_;
        Interpreter interpreter_;
    };

    [[nodiscard]] DecodedRequest decode(const Source& source, Arena& arena) {
        DecodedRequest request;
        request.raw.signal = source.signal;
        request.raw.encoding = source.encoding;
        request.raw.received_at = received_at_for_test;
        request.raw.body.append(source.bytes);
        Result<DecodedItems> decoded = decoder_.decode(request.raw, arena);
        if (!decoded) throw std::runtime_error(decoded.error().message);
        request.spans = decoded->spans;
        request.keep_alive = std::move(decoded->keep_alive);
        for (SpanView& span : request.spans) {
            for (std::size_t i = 0; i < sizeof generation_; ++i)
                span.trace_id[i] ^= static_cast<std::uint8_t>(generation_ >> (8 * i));
        }
        return request;
    }

    std::string name_;
    ReceiverLimits limits_;
    Decoder decoder_;
    std::vector<Source> bodies_;
    Interpreting interpreter_;
    std::uint64_t generation_ = 0;
};

struct Arm {
    std::string name;
    std::function<double()> run;  // µs of CPU per span
    std::vector<double> rounds;

    [[nodiscard]] double median() {
        std::sort(rounds.begin(), rounds.end());
        return rounds[rounds.size() / 2];
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
    double us = 0;
    std::size_t spans = 0;
    for (std::size_t pass = 0; pass < passes_per_round; ++pass) {
        EventBatch events = workload.next_batch(arena);
        spans += events.items.size();
        const double start = thread_cpu_us();
        const ReleasedBatch released = room.redactor.redact(std::move(events));
        us += thread_cpu_us() - start;
    }
    return us / static_cast<double>(spans);
}

double detection_us(const RuleSet& rules, const std::vector<Text>& texts, std::size_t spans) {
    std::vector<Match> matches;
    const double start = thread_cpu_us();
    for (std::size_t pass = 0; pass < passes_per_round; ++pass) {
        for (const Text& text : texts)
            rules.find(text.text, text.hints, matches);
    }
    return (thread_cpu_us() - start) / static_cast<double>(passes_per_round * spans);
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

void report(Workload& workload, std::size_t rounds, std::string_view only_arm) {
    Arena arena;
    Arena arena_of_texts;
    const EventBatch events = workload.next_batch(arena_of_texts);
    const std::vector<Text> texts = workload.texts(events);
    const std::size_t spans = events.items.size();
    std::size_t bytes = 0;
    for (const Text& text : texts)
        bytes += text.text.size();
    std::vector<std::unique_ptr<re2::RE2>> patterns;
    for (const Kind& kind : kinds)
        patterns.push_back(std::make_unique<re2::RE2>(re2::StringPiece(kind.pattern)));

    std::vector<Arm> arms;
    const std::array<std::pair<std::string_view, std::size_t>, 3> sets = {
        {{"none", 0}, {"ten", 10}, {"all", kinds.size()}}};
    std::vector<std::unique_ptr<Room>> rooms;
    for (const auto& [name, count] : sets) {
        rooms.push_back(std::make_unique<Room>(detector_list(count)));
        Room& room = *rooms.back();
        arms.push_back(
            {"room, " + std::string(name), [&] { return room_us(room, workload, arena); }, {}}
        );
        arms.push_back(
            {"detection, " + std::string(name),
             [&] { return detection_us(*room.rules, texts, spans); },
             {}}
        );
        if (count == 0) continue;
        arms.push_back(
            {"RE2, " + std::string(name),
             [&, size = count] { return re2_us(std::span(patterns).first(size), texts, spans); },
             {}}
        );
    }
    std::erase_if(arms, [&](const Arm& arm) { return !arm.name.starts_with(only_arm); });
    if (arms.empty()) return;
    for (std::size_t round = 0; round < rounds + 2; ++round) {
        for (Arm& arm : arms) {
            const double us = arm.run();
            if (round >= 2) arm.rounds.push_back(us);  // two rounds warm up
        }
    }
    std::printf(
        "%s: %zu items, %.1f texts and %.0f bytes an item\n",
        workload.name().c_str(),
        spans,
        static_cast<double>(texts.size()) / static_cast<double>(spans),
        static_cast<double>(bytes) / static_cast<double>(spans)
    );
    const double floor = arms.front().median();
    for (Arm& arm : arms) {
        const double us = arm.median();
        std::printf(
            "  %-16s %8.2f µs CPU per item (least %.2f)",
            arm.name.c_str(),
            us,
            arm.rounds.front()
        );
        if (arm.name.starts_with("room") && &arm != &arms.front())
            std::printf("   %+.2f over none", us - floor);
        std::printf("\n");
    }
}

void add_payload(Workload& workload, const std::filesystem::path& root) {
    workload.add(
        Signal::traces, BodyEncoding::protobuf, file_text(root / "load/payload/agent64.pb")
    );
}

void add_captures(Workload& workload, const std::filesystem::path& root) {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(root / "tests/captures")) {
        const std::string name = entry.path().filename().string();
        const bool is_traces = name.find(".traces.") != std::string::npos;
        const bool is_logs = name.find(".logs.") != std::string::npos;
        if ((!is_traces && !is_logs) || name.ends_with(".headers.json")) continue;
        const std::string bytes = gunzipped(file_text(entry.path()));
        const bool is_json = bytes.starts_with('{');
        workload.add(
            is_traces ? Signal::traces : Signal::logs,
            is_json ? BodyEncoding::json : BodyEncoding::protobuf,
            bytes
        );
    }
}

}  // namespace
}  // namespace spangate

int main(int argc, char** argv) {
    const std::size_t rounds = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 21;
    const std::filesystem::path root = SPANGATE_SOURCE_DIR;
    const std::string_view only = argc > 2 ? argv[2] : "";
    const std::string_view arm = argc > 3 ? argv[3] : "";
    if (only.empty() || only == "payload") {
        spangate::Workload payload("payload/agent64.pb");
        spangate::add_payload(payload, root);
        spangate::report(payload, rounds, arm);
    }
    if (only.empty() || only == "captures") {
        spangate::Workload captures("tests/captures");
        spangate::add_captures(captures, root);
        spangate::report(captures, rounds, arm);
    }
    return 0;
}
