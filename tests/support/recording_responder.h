// Keeps what a client would hear.
#pragma once

#include <vector>

#include "model/ticket.h"

namespace spangate::testing {

// `heard` outlives every ticket.
class RecordingResponder final : public Responder {
  public:
    explicit RecordingResponder(std::vector<Outcome>& heard) : heard_(heard) {}

    void respond(const Outcome& outcome) override { heard_.push_back(outcome); }

  private:
    std::vector<Outcome>& heard_;
};

}  // namespace spangate::testing
