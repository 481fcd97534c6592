// A protobuf record of the contract as its JSON encoding (events.md §7): what looks at a step's
// detail reads one form only. Included by this room's .cc files alone.
#pragma once

#include <string>
#include <string_view>

namespace spangate {

// Into `json`, which is overwritten; false when the record is damaged. Fields that this version
// does not know are left out; so is what nests deeper than any gateway writes.
[[nodiscard]] bool record_as_json(std::string_view protobuf, std::string& json);

}  // namespace spangate
