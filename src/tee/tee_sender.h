// The seam between the tee's queue and the wire: how one copied request reaches the other endpoint.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/memory_budget.h"
#include "model/request.h"

namespace spangate {

struct TeeRequest {
    Signal signal = Signal::traces;
    BodyEncoding encoding = BodyEncoding::protobuf;
    std::shared_ptr<const Body> body;  // as the client sent it, inflated; never null when sent
    Lease lease;
};

enum class TeeVerdict : std::uint8_t {
    forwarded,  // the endpoint took it
    rejected,   // the endpoint will never take it
    later,      // full, away or no answer: worth another try
};

struct TeeReply {
    TeeVerdict verdict = TeeVerdict::later;
    std::chrono::seconds wait{0};  // with `later`: not before this, as the endpoint asked
    std::string why;               // for the log; empty when forwarded
};

// One thread sends at a time; cancel() may come from any.
class TeeSender {
  public:
    virtual ~TeeSender() = default;

    // Whether a body of this encoding can be sent without being written anew.
    [[nodiscard]] virtual bool carries(BodyEncoding encoding) const = 0;

    // Blocks until the endpoint has answered, `deadline`, or cancel().
    [[nodiscard]] virtual TeeReply send(const TeeRequest& request, SteadyTime deadline) = 0;

    // What is under way ends soon, and nothing is sent any more.
    virtual void cancel() = 0;
};

}  // namespace spangate
