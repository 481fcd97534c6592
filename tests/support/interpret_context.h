// The interpret room with what it needs around it, for tests: feed it requests, look at the items.
#pragma once

#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/arena.h"
#include "config/config.h"
#include "digest/hash_key.h"
#include "enrich/enricher.h"
#include "interpret/conventions.h"
#include "interpret/interpreter.h"
#include "model/batch.h"
#include "observe/metrics.h"

namespace spangate {

inline constexpr WallNanos received_at_for_test = 1'790'000'100'000'000'000;

class InterpretContext {
  public:
    explicit InterpretContext(
        InterpretConfig interpret = {},
        EnrichConfig enrich = {},
        std::string_view conventions = builtin_conventions(),
        std::string_view prices = builtin_prices()
    )
        : config_(std::move(interpret)),
          hash_key_("a key for tests"),
          sessions_(config_.session_memory),
          usages_(config_.usage_memory),
          enricher_(enrich, DetectedResource{}) {
        auto loaded = load_conventions(conventions, "conventions.yaml");
        if (!loaded) throw std::runtime_error(loaded.error().message);
        conventions_ = *loaded;
        auto priced = load_prices(prices, "prices.yaml");
        if (!priced) throw std::runtime_error(priced.error().message);
        interpreter_.emplace(
            config_, InterpretTables{conventions_, *priced}, hash_key_, sessions_, usages_, metrics_
        );
    }

    // One batch of several requests; the result lives until the context dies.
    EventBatch& interpret(std::vector<DecodedRequest> requests) {
        SpanBatch batch;
        arenas_.push_back(std::make_unique<Arena>());
        batch.arena = arenas_.back().get();
        batch.requests = std::move(requests);
        batches_.push_back(std::make_unique<EventBatch>(
            interpreter_->interpret(enricher_.enrich(std::move(batch)))
        ));
        return *batches_.back();
    }

    EventBatch& interpret(
        std::span<SpanView> spans,
        WallNanos received_at = received_at_for_test,
        std::string tenant_id = {}
    ) {
        std::vector<DecodedRequest> requests(1);
        requests[0].spans = spans;
        requests[0].raw.received_at = received_at;
        requests[0].raw.tenant_id = std::move(tenant_id);
        return interpret(std::move(requests));
    }

    void explain_to(ExplanationRecorder* recorder) { interpreter_->explain_to(recorder); }

    [[nodiscard]] const HashKey& hash_key() const { return hash_key_; }

    [[nodiscard]] const Conventions& conventions() const { return *conventions_; }

    [[nodiscard]] SessionMemory& sessions() { return sessions_; }

    [[nodiscard]] UsageMemory& usages() { return usages_; }

    [[nodiscard]] Metrics& metrics() { return metrics_; }

  private:
    InterpretConfig config_;
    HashKey hash_key_;
    Metrics metrics_;
    SessionMemory sessions_;
    UsageMemory usages_;
    Enricher enricher_;
    std::shared_ptr<const Conventions> conventions_;
    std::optional<Interpreter> interpreter_;
    std::vector<std::unique_ptr<Arena>> arenas_;
    std::vector<std::unique_ptr<EventBatch>> batches_;
};

// The event of that type, or null.
[[nodiscard]] inline const AgentEvent* event_of(const AgentItem& item, EventType type) {
    for (const AgentEvent& event : item.events) {
        if (event.type == type) return &event;
    }
    return nullptr;
}

// The item's event types in their order, as «tool_request tool_response*»; * marks the primary.
[[nodiscard]] inline std::string types_of(const AgentItem& item) {
    std::string text;
    for (const AgentEvent& event : item.events) {
        if (!text.empty()) text += ' ';
        text += name_of(event.type);
        if (event.is_primary) text += '*';
    }
    return text;
}

// The text of a field as it would stand on `event`; empty when it does not.
[[nodiscard]] inline std::string text_on(const AgentEvent& event, FieldId id) {
    const FieldValue* value = event.fields->find(id);
    if (value == nullptr || !stands_on(info(id), event)) return {};
    switch (info(id).type) {
        case FieldType::text:
            return std::string(value->text());
        case FieldType::integer:
        case FieldType::time:
            return std::to_string(value->integer);
        case FieldType::real:
            return fmt::format("{}", value->real);
        case FieldType::flag:
            return value->flag ? "true" : "false";
        case FieldType::texts: {
            std::string text;
            for (const std::string_view item : value->texts())
                text += std::string(item) + ";";
            return text;
        }
        case FieldType::reals: {
            std::string text;
            for (const double item : value->reals())
                text += fmt::format("{};", item);
            return text;
        }
    }
    return {};
}

[[nodiscard]] inline std::string text_on(const AgentItem& item, FieldId id) {
    return text_on(item.primary_event(), id);
}

}  // namespace spangate
