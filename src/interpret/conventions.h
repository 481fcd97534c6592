// The conventions table (config/conventions.yaml): which telemetry means which agent event, where
// each field comes from, and which keys hold content. No convention has code of its own; a new one
// is a few lines of the table. The file's head explains its language.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace spangate {

struct ConventionTable;

// Immutable and thread-safe; all lanes share one.
class Conventions {
  public:
    Conventions(std::unique_ptr<const ConventionTable> table, std::string rules_hash);
    ~Conventions();
    Conventions(const Conventions&) = delete;
    Conventions& operator=(const Conventions&) = delete;

    // 12 hex of SHA-256 over the file's text: `rules` of every record (contract §3).
    [[nodiscard]] std::string_view rules_hash() const { return rules_hash_; }

    // For this room only (interpret/convention_table.h).
    [[nodiscard]] const ConventionTable& table() const { return *table_; }

  private:
    std::unique_ptr<const ConventionTable> table_;
    std::string rules_hash_;
};

// All faults at once, one a line: «name:line:column: what».
[[nodiscard]] Result<std::shared_ptr<const Conventions>> load_conventions(
    std::string_view yaml, std::string_view name
);

// The text of config/conventions.yaml as it was at build time.
[[nodiscard]] std::string_view builtin_conventions();

}  // namespace spangate
