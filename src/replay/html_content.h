// What each step said and got, in script elements of their own that the page decodes when a step is
// looked at: a JSON string, the base64 of zlib's bytes of a JSON array, since packed about five
// times as much fits. Long texts are cut to what the page's budget leaves; their whole length is
// told.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "digest/sha256.h"
#include "replay/html_output.h"
#include "replay/replay.h"
#include "replay/step_view.h"
#include "timeline/timeline.h"

namespace spangate {

class HtmlContent {
  public:
    // `rows` are the shown steps' indices, rising; all outlive it.
    HtmlContent(
        Timeline& timeline,
        const StepViews& views,
        const std::vector<std::uint32_t>& rows,
        HtmlOutput& out
    )
        : timeline_(timeline),
          views_(views),
          rows_(rows),
          out_(out) {}

    // Writes about `bytes` at most. A step may use what those before it left.
    void write(std::uint64_t bytes);

  private:
    // Rows of one element: few enough to be decoded in a moment.
    static constexpr std::size_t rows_per_block = 64;
    // Of one text of one step.
    static constexpr std::size_t text_bytes_max = 256 * 1024;
    static constexpr std::size_t repeated_bytes_min = 48;

    [[nodiscard]] std::string block_within(
        std::size_t first, std::size_t after, std::uint64_t room
    );
    // The rows as JSON of about `room` bytes.
    [[nodiscard]] std::string plain_block(std::size_t first, std::size_t after, std::uint64_t room);
    void write_row(std::uint32_t row);
    // The text, its head and its size, or the place where the same text stands already. A place is
    // the how-manieth text of the page it is, from 0.
    void write_text(std::string_view text, std::uint64_t share);
    void write_record(const Step& step);

    Timeline& timeline_;
    const StepViews& views_;
    const std::vector<std::uint32_t>& rows_;
    HtmlOutput& out_;
    Sha256 hasher_;
    // Places by the hash of their text.
    std::unordered_map<std::string, std::uint32_t> places_;
    std::uint32_t places_count_ = 0;
    std::vector<std::string> new_places_;  // of the block that is being made
    HtmlOutput* block_ = nullptr;          // where it goes
    std::uint64_t allowance_ = 0;          // what the row may use of it
    double packs_by_ = 3;                  // as the last block did
};

}  // namespace spangate
