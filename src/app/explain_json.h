// The report of `spangate explain` for machines: JSON Lines. Each line has `kind`: `tables`,
// `body`, `resource`, `span`, `log`, `alias`, and last `totals`. Keys are only added between
// versions, never renamed; a key without a value is left out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "app/explain_report.h"
#include "app/explain_text.h"

namespace spangate {

[[nodiscard]] std::string tables_json(const ExplainTables& tables);
[[nodiscard]] std::string body_json(std::string_view path, std::string_view looks_like);
[[nodiscard]] std::string resource_json(const std::vector<AttributeReport>& attributes);
[[nodiscard]] std::string item_json(const ItemReport& item);
[[nodiscard]] std::string totals_json(const ExplainTotals& totals);

}  // namespace spangate
