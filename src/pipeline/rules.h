// Everything of rooms 3–6 that a reload replaces: an immutable snapshot. A pipeline looks once per
// walk whether there is a newer one, so a batch is walked under one set of rules from end to end.
#pragma once

#include <atomic>
#include <memory>

#include "config/config.h"
#include "digest/evidence_keys.h"
#include "enrich/enricher.h"
#include "interpret/conventions.h"
#include "interpret/price_table.h"
#include "redact/rule_set.h"
#include "route/event_walk.h"

namespace spangate {

struct Rules {
    Rules(
        const Config& config,
        DetectedResource detected,
        std::shared_ptr<const Conventions> conventions_table,
        std::shared_ptr<const PriceTable> price_table,
        std::shared_ptr<const RuleSet> redaction_rules,
        GatewayIdentity gateway_identity
    )
        : interpret(config.interpret),
          redact(config.redact),
          route(config.route),
          enricher(config.enrich, std::move(detected)),
          conventions(std::move(conventions_table)),
          prices(std::move(price_table)),
          redaction(std::move(redaction_rules)),
          identity(std::move(gateway_identity)) {}

    InterpretConfig interpret;
    RedactConfig redact;
    RouteConfig route;
    Enricher enricher;
    std::shared_ptr<const Conventions> conventions;
    std::shared_ptr<const PriceTable> prices;
    std::shared_ptr<const RuleSet> redaction;
    GatewayIdentity identity;
    std::shared_ptr<EvidenceKeys> evidence_keys;  // null: evidence is in clear, or off
};

// Where the newest rules stand; many pipelines read, the reload writes.
using CurrentRules = std::atomic<std::shared_ptr<const Rules>>;

}  // namespace spangate
