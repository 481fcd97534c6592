// An event that is stored as protobuf, as the JSON that the contract gives it (§7): so that whoever
// shows stored events knows one form.
#pragma once

#include <string>
#include <string_view>

namespace spangate {

// Appends the event's JSON. Fields that this version does not know are left out. False when
// `message` is no event; `out` is then as it was.
[[nodiscard]] bool append_event_json(std::string_view message, std::string& out);

}  // namespace spangate
