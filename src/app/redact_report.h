// What `spangate redact` says about one document: for people a line a hit, for machines one JSON
// object. Neither holds what was hit, only its length, its place and what it became.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/redaction_hits.h"
#include "redact/rule_set.h"

namespace spangate {

struct RedactReport {
    const RuleSet& rules;
    std::string_view text;       // as read
    std::size_t first_line = 1;  // of the document in the input
    std::string_view redacted;
    std::span<const std::uint32_t> counts;  // by rule
    std::vector<RedactionHit> hits;
    bool has_hits = false;  // whether they were looked for
};

// «3:17 (byte 120) email: mask, 22 characters of text, becomes [email]».
[[nodiscard]] std::string text_of(const RedactReport& report);

// {"line":1,"ruleset":…,"changed":true,"counts":{…},"findings":[…],"redacted":"…"}, without
// `findings` when they were not looked for.
[[nodiscard]] std::string json_of(const RedactReport& report);

// Where byte `offset` of a text stands: lines and characters count from 1, as editors do. Ask in
// rising order: it goes on where it was.
class LineCounter {
  public:
    explicit LineCounter(std::string_view text, std::size_t first_line = 1)
        : text_(text),
          line_(first_line) {}

    void go_to(std::size_t offset);

    [[nodiscard]] std::size_t line() const { return line_; }

    [[nodiscard]] std::size_t column() const { return column_; }

  private:
    std::string_view text_;
    std::size_t at_ = 0;
    std::size_t line_;
    std::size_t column_ = 1;
};

[[nodiscard]] std::size_t characters_of(std::string_view text);

}  // namespace spangate
