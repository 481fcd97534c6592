// Dead letters (contract §1): JSON, whatever the records' encoding, with the lost record's header,
// why, how large, and its largest keys by name, as they stand in the released value; no content. Of
// encrypted evidence nothing stands outside its payload, so no part's key is told.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/slab.h"
#include "model/dead_letter_writer.h"

namespace spangate {

class DeadLetters final : public DeadLetterWriter {
  public:
    // The pool outlives the writer.
    explicit DeadLetters(SlabPool& slabs) : slabs_(slabs) {}

    [[nodiscard]] OutboundRecord* make_dead_letter(
        const OutboundRecord& lost, std::string_view reason
    ) override;

  private:
    std::mutex mutex_;  // guards the rest
    SlabWriter slabs_;
    std::string scratch_;
};

// The value of a dead letter, replacing what stands in `out`. When the lost value cannot be read,
// the header is what the record itself knows, and no keys are told.
void write_dead_letter(std::string& out, const OutboundRecord& lost, std::string_view reason);

}  // namespace spangate
