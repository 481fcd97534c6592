// Encodes `gateway_gap` events: which numbers of a session were given and not delivered (contract
// §3).
#pragma once

#include <string>

#include "base/clock.h"
#include "base/slab.h"
#include "digest/sha256.h"
#include "model/gap_writer.h"
#include "route/event_walk.h"
#include "route/router.h"

namespace spangate {

class GapEventWriter final : public GapWriter {
  public:
    // All arguments outlive the writer.
    GapEventWriter(
        EventEncoding encoding, const GatewayIdentity& identity, SlabPool& slabs, const Clock& clock
    )
        : encoding_(encoding),
          identity_(identity),
          slabs_(slabs),
          clock_(clock) {}

    [[nodiscard]] OutboundRecord* make_gap(const GapNotice& notice) override;

  private:
    const EventEncoding encoding_;
    const GatewayIdentity& identity_;
    SlabWriter slabs_;
    const Clock& clock_;
    Sha256 sha256_;
    std::string scratch_;
};

}  // namespace spangate
