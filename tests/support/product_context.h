// The product from a request's body to a sink's records, without sockets and files: for tests of
// what leaves.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <catch2/catch.hpp>

#include "deliver/gap_book.h"
#include "pipeline/pipeline.h"
#include "support/fake_sink.h"
#include "support/manual_clock.h"
#include "support/recording_responder.h"

namespace spangate::testing {

inline std::shared_ptr<const Rules> make_rules(const Config& config, const HashKey& key) {
    const auto conventions = load_conventions(builtin_conventions(), "built-in");
    REQUIRE(conventions.has_value());
    const auto prices = load_prices(builtin_prices(), "built-in");
    REQUIRE(prices.has_value());
    const auto redaction = RuleSet::compile(config.redact);
    REQUIRE(redaction.has_value());
    return std::make_shared<const Rules>(
        config,
        DetectedResource{},
        *conventions,
        *prices,
        *redaction,
        GatewayIdentity{"test-1", std::string((*conventions)->rules_hash()), std::string(key.id())}
    );
}

class ProductContext {
  public:
    explicit ProductContext(EventEncoding encoding, const Config& settings = {})
        : config(settings),
          delivery(
              {encoding == EventEncoding::json ? SlotForm::decimal : SlotForm::fixed64},
              {&sink},
              gaps,
              nullptr,
              clock,
              metrics
          ),
          pipeline(
              {config.receivers.limits,
               encoding,
               rules,
               key,
               sessions,
               usage,
               slabs,
               delivery,
               ledger,
               metrics}
          ) {}

    // One request through the whole walk; returns what the client heard.
    Outcome take(
        std::string_view body,
        Signal signal = Signal::traces,
        BodyEncoding encoding = BodyEncoding::protobuf
    ) {
        Lease lease(budget);
        REQUIRE(lease.grow_to(body.size() * 4));
        RawRequest request;
        request.signal = signal;
        request.encoding = encoding;
        request.body.append(body);
        request.received_at = clock.wall_nanos();
        heard_.clear();
        request.ticket =
            new Ticket(std::make_unique<RecordingResponder>(heard_), &ledger, std::move(lease));
        pipeline.take(std::move(request));
        pipeline.walk();
        REQUIRE(heard_.size() == 1);
        return heard_.front();
    }

    // The records that have come since the last call.
    [[nodiscard]] std::vector<SentRecord> new_records() { return sink.take_sent(); }

    Config config;
    ManualClock clock;
    Metrics metrics;
    HashKey key{"0123456789abcdef0123456789abcdef"};
    SlabPool slabs;
    GapBook gaps{metrics};
    FakeSink sink{metrics, gaps};
    Delivery delivery;
    SessionMemory sessions{config.interpret.session_memory};
    UsageMemory usage{config.interpret.usage_memory};
    Ledger ledger{metrics};
    CurrentRules rules{make_rules(config, key)};
    Pipeline pipeline;
    MemoryBudget budget{64 * mib};

  private:
    std::vector<Outcome> heard_;
};

}  // namespace spangate::testing
