// The third room: who sent a request and where it comes from, as far as configuration and the
// gateway's own surroundings know. An authenticated tenant wins over the configured one; what the
// client's resource says wins over what was detected beside it (contract §3).
#pragma once

#include <string>

#include "config/config.h"
#include "enrich/resource_detection.h"
#include "model/batch.h"

namespace spangate {

// Immutable after construction; enrich() may be called from several lanes.
class Enricher {
  public:
    Enricher(const EnrichConfig& config, DetectedResource detected);
    Enricher(const Enricher&) = delete;
    Enricher& operator=(const Enricher&) = delete;

    // The facts borrow from this enricher, from the batch's requests and from its arena. Attributes
    // have the treatment `plain`; those of the configuration come in key order.
    [[nodiscard]] EnrichedBatch enrich(SpanBatch&& batch) const;

  private:
    [[nodiscard]] RequestFacts facts_of(const DecodedRequest& request, Arena& arena) const;

    std::string env_;
    std::string tenant_id_;
    std::string_view service_name_;  // points into detected_
    DetectedResource configured_;
    DetectedResource detected_;
};

}  // namespace spangate
