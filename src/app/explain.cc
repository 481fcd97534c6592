#include "app/explain.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <unordered_map>

#include <unistd.h>

#include <fmt/format.h>

#include "app/explain_input.h"
#include "app/explain_json.h"
#include "app/explain_report.h"
#include "app/explain_text.h"
#include "app/make_rules.h"
#include "app/report_faults.h"
#include "base/text.h"
#include "config/load_config.h"
#include "decode/decoder.h"
#include "interpret/explanation.h"
#include "interpret/interpreter.h"
#include "pipeline/rules.h"
#include "redact/redactor.h"

namespace spangate {
namespace {

// Without a configuration digests need some key; theirs are then comparable among themselves only.
constexpr std::string_view key_of_explain = "spangate explain";

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void complain(std::string_view message) {
    std::fprintf(
        stderr, "spangate explain: %.*s\n", static_cast<int>(message.size()), message.data()
    );
}

// Which items are printed; totals always count all.
struct Filter {
    std::string span_id;
    std::vector<std::string> only;

    [[nodiscard]] bool takes(const ItemReport& item) const {
        if (!span_id.empty() && !item.span_id.starts_with(span_id)) return false;
        return only.empty() || std::any_of(only.begin(), only.end(), [&](const std::string& word) {
                   return is_one(item, word);
               });
    }

    [[nodiscard]] static bool is_one(const ItemReport& item, const std::string& word) {
        if (word == "dropped") return item.fate != "kept";
        if (word == "unnamed") {
            return std::any_of(
                item.attributes.begin(),
                item.attributes.end(),
                [](const AttributeReport& one) { return one.list.empty(); }
            );
        }
        const bool has_event =
            std::any_of(item.events.begin(), item.events.end(), [&](const EventReport& event) {
                return event.type == word;
            });
        return has_event || (item.fate == "kept" && item.convention == word);
    }
};

// The rooms of one lane, with a recorder in the interpreter and nothing behind the redactor.
class Walk {
  public:
    Walk(const Config& config, std::shared_ptr<const Rules> rules, std::string_view hash_key)
        : rules_(std::move(rules)),
          hash_key_(hash_key),
          sessions_(config.interpret.session_memory),
          usages_(config.interpret.usage_memory),
          decoder_(config.receivers.limits),
          interpreter_(
              rules_->interpret,
              {rules_->conventions, rules_->prices, rules_->identity.gateway_id},
              hash_key_,
              sessions_,
              usages_,
              metrics_
          ),
          redactor_(
              rules_->redact, rules_->route.evidence, rules_->redaction, hash_key_, metrics_
          ) {
        interpreter_.explain_to(&recorder_);
    }

    // What came of the body; valid until the next one.
    Result<const ReleasedBatch*> take(FoundBody&& found) {
        released_.reset();
        arena_.reset();
        DecodedRequest request;
        request.raw.signal = found.signal;
        request.raw.encoding = found.encoding;
        request.raw.body = std::move(found.body);
        request.raw.received_at = SystemClock().wall_nanos();
        Result<DecodedItems> decoded = decoder_.decode(request.raw, arena_);
        if (!decoded) return tl::unexpected(std::move(decoded.error()));
        rejected_ = decoded->rejected;
        rejected_why_ = decoded->rejected_why;
        request.spans = decoded->spans;
        request.keep_alive = std::move(decoded->keep_alive);
        SpanBatch batch;
        batch.arena = &arena_;
        batch.requests.push_back(std::move(request));
        released_ = std::make_unique<ReleasedBatch>(
            redactor_.redact(interpreter_.interpret(rules_->enricher.enrich(std::move(batch))))
        );
        return released_.get();
    }

    [[nodiscard]] const std::deque<Explanation>& explanations() const {
        return recorder_.explanations();
    }

    [[nodiscard]] std::uint64_t rejected() const { return rejected_; }

    [[nodiscard]] const std::string& rejected_why() const { return rejected_why_; }

  private:
    std::shared_ptr<const Rules> rules_;
    HashKey hash_key_;
    Metrics metrics_;
    SessionMemory sessions_;
    UsageMemory usages_;
    Arena arena_;
    Decoder decoder_;
    ExplanationRecorder recorder_;
    Interpreter interpreter_;
    Redactor redactor_;
    std::unique_ptr<ReleasedBatch> released_;
    std::uint64_t rejected_ = 0;
    std::string rejected_why_;
};

// Prints what the walk gives.
class Printer {
  public:
    Printer(const ExplainArguments& arguments, const Rules& rules)
        : reporter_(rules.conventions->table(), *rules.redaction, arguments.shows_content),
          filter_{arguments.span_id, arguments.only},
          prints_json_(arguments.prints_json),
          prints_items_(!arguments.prints_totals_only),
          text_(has_colours()) {}

    void tables(const ExplainTables& tables) {
        print(prints_json_ ? std::string_view(tables_json(tables)) : text_.tables(tables));
    }

    void body(std::string_view path, std::string_view looks_like) {
        ++totals_.bodies;
        print(
            prints_json_ ? std::string_view(body_json(path, looks_like))
                         : text_.body(path, looks_like)
        );
    }

    void batch(const Walk& walk, const ReleasedBatch& released) {
        std::unordered_map<const SpanView*, const ReleasedItem*> kept;
        for (const ReleasedItem& item : released.items)
            kept.emplace(item.item->span, &item);
        totals_.rejected += walk.rejected();
        std::size_t number = 0;
        for (const Explanation& explanation : walk.explanations()) {
            const auto found = kept.find(explanation.span);
            const ReleasedItem* item = found == kept.end() ? nullptr : found->second;
            this->item(explanation, item, ++number);
        }
        for (const ReleasedItem& item : released.items) {
            if (item.item->source != EventSource::gateway) continue;
            const ItemReport report = reporter_.alias(item);
            totals_.add(report);
            show(report);
        }
        resource_ = nullptr;  // addresses may come again in the next batch
        scope_ = nullptr;
    }

    void totals() {
        print(prints_json_ ? std::string_view(totals_json(totals_)) : text_.totals(totals_));
    }

  private:
    static bool has_colours() {
        const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe)
        return ::isatty(STDOUT_FILENO) != 0 && (no_color == nullptr || *no_color == '\0');
    }

    void item(const Explanation& explanation, const ReleasedItem* released, std::size_t number) {
        const ItemReport report = reporter_.item(explanation, released, number);
        totals_.add(report);
        const SpanView& span = *explanation.span;
        const bool is_new = span.resource != resource_ || span.scope != scope_;
        if (is_new && span.resource != resource_) resource_was_counted_ = false;
        if (!resource_was_counted_) totals_.add_unnamed(reporter_.resource(span));
        resource_was_counted_ = true;
        if (!prints_items_ || !filter_.takes(report)) return;
        const bool is_resource_wanted = is_new && filter_.only.empty() && filter_.span_id.empty();
        resource_ = span.resource;
        scope_ = span.scope;
        if (is_resource_wanted) {
            const std::vector<AttributeReport> resource = reporter_.resource(span);
            print(
                prints_json_ ? std::string_view(resource_json(resource)) : text_.resource(resource)
            );
        }
        show(report);
    }

    void show(const ItemReport& report) {
        if (!prints_items_ || !filter_.takes(report)) return;
        print(prints_json_ ? std::string_view(item_json(report)) : text_.item(report));
    }

    ExplainReporter reporter_;
    Filter filter_;
    bool prints_json_;
    bool prints_items_;
    ExplainText text_;
    ExplainTotals totals_;
    const ResourceView* resource_ = nullptr;
    const ScopeView* scope_ = nullptr;
    bool resource_was_counted_ = false;
};

// All words of --only must say something, so that a mistyped one is not an empty answer.
bool are_known(const std::vector<std::string>& words, const ConventionTable& table) {
    for (const std::string& word : words) {
        const bool is_convention = std::any_of(
            table.conventions.begin(),
            table.conventions.end(),
            [&](const Convention& convention) { return convention.id == word; }
        );
        if (is_convention || event_type_from(word) || word == "dropped" || word == "unnamed")
            continue;
        std::string known;
        for (const Convention& convention : table.conventions)
            known += (known.empty() ? "" : ", ") + convention.id;
        complain(fmt::format(
            "--only {}: a convention ({}), an event type, `dropped` or `unnamed` is wanted",
            word,
            known
        ));
        return false;
    }
    return true;
}

tl::expected<Config, ExitCode> config_of(const ExplainArguments& arguments) {
    Config config;
    if (!arguments.config_path.empty()) {
        auto loaded = load_config(arguments.config_path);
        if (!loaded) {
            report_faults(loaded.error());
            return tl::unexpected(ExitCode::usage);
        }
        config = std::move(*loaded);
    }
    if (!arguments.conventions_path.empty()) {
        config.interpret.conventions_file = arguments.conventions_path;
    }
    if (!arguments.prices_path.empty()) config.interpret.prices_file = arguments.prices_path;
    return config;
}

std::string table_name(const std::string& path) {
    return path.empty() ? "built in" : path;
}

ExitCode explain_files(
    const std::vector<std::string>& paths,
    std::optional<Signal> signal,
    const ReceiverLimits& limits,
    Walk& walk,
    Printer& printer
) {
    for (const std::string& path : paths) {
        const std::string name = path == "-" ? "standard input" : path;
        Result<std::vector<FoundBody>> bodies = read_bodies(path, signal, limits);
        if (!bodies) {
            complain(name + ": " + bodies.error().message);
            return ExitCode::broken;
        }
        for (FoundBody& body : *bodies) {
            const std::string looks_like = body.looks_like;
            const Result<const ReleasedBatch*> released = walk.take(std::move(body));
            if (!released) {
                complain(fmt::format(
                    "{}: not an OTLP body: it looked like {}, but: {}",
                    name,
                    looks_like,
                    released.error().message
                ));
                return ExitCode::broken;
            }
            printer.body(name, looks_like);
            printer.batch(walk, **released);
            if (walk.rejected() == 0) continue;
            complain(fmt::format("{}: {} refused: {}", name, walk.rejected(), walk.rejected_why()));
        }
    }
    return ExitCode::clean;
}

}  // namespace

ExitCode explain(const ExplainArguments& arguments) {
    std::optional<Signal> signal;
    if (arguments.signal == "traces") signal = Signal::traces;
    if (arguments.signal == "logs") signal = Signal::logs;
    if (!arguments.signal.empty() && !signal) {
        complain("--signal: traces or logs is wanted");
        return ExitCode::usage;
    }
    const auto config = config_of(arguments);
    if (!config) return config.error();
    const std::string key_text = config->redact.hash_key.empty()
                                     ? std::string(key_of_explain)
                                     : std::string(config->redact.hash_key.reveal());
    const Result<std::shared_ptr<const Rules>> rules =
        make_rules(*config, HashKey(key_text), "explain");
    if (!rules) {
        std::fprintf(stderr, "%s\n", rules.error().message.c_str());
        return ExitCode::usage;
    }
    if (!are_known(arguments.only, (*rules)->conventions->table())) return ExitCode::usage;
    Printer printer(arguments, **rules);
    const InterpretConfig& interpret = config->interpret;
    printer.tables(
        {table_name(interpret.conventions_file),
         std::string((*rules)->conventions->rules_hash()),
         table_name(interpret.prices_file),
         std::string((*rules)->prices->version())}
    );
    const std::vector<std::string> paths =
        arguments.paths.empty() ? std::vector<std::string>{"-"} : arguments.paths;
    Walk walk(*config, *rules, key_text);
    const ExitCode code = explain_files(paths, signal, config->receivers.limits, walk, printer);
    if (code == ExitCode::clean) printer.totals();
    return code;
}

}  // namespace spangate
