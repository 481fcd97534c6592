// Dead letters (contract §1): JSON with the lost record's header, why, how large, and its largest
// keys by name, as they stand in the released value; no content. Of encrypted evidence nothing
// stands outside its payload, so no part's key is told.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/slab.h"
#include "model/dead_letter_writer.h"
#include "route/encode.h"

namespace spangate {

class DeadLetters final : public DeadLetterWriter {
  public:
    // The pool outlives the writer. With protobuf the header is told as far as the record itself
    // knows it, and no keys.
    DeadLetters(EventEncoding encoding, SlabPool& slabs) : encoding_(encoding), slabs_(slabs) {}

    [[nodiscard]] OutboundRecord* make_dead_letter(
        const OutboundRecord& lost, std::string_view reason
    ) override;

  private:
    const EventEncoding encoding_;
    std::mutex mutex_;  // guards the rest
    SlabWriter slabs_;
    std::string scratch_;
};

// The value of a dead letter, replacing what stands in `out`.
void write_dead_letter(
    std::string& out, EventEncoding encoding, const OutboundRecord& lost, std::string_view reason
);

}  // namespace spangate
