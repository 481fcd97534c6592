// Where stored events are read from: JSONL files or Kafka. One reader belongs to one thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "model/event_type.h"

namespace spangate {

// Which events are wanted.
struct EventQuery {
    std::vector<EventClass> classes = {EventClass::operational};
    std::string session_id;          // empty: all
    std::optional<WallNanos> since;  // by ts_received
    bool follows = false;            // goes on with new events; without `since`, with those only
};

struct StoredEvent {
    EventClass event_class = EventClass::operational;
    bool is_json = true;  // else protobuf, spangate.v1
    std::string value;
    WallNanos received_at = 0;    // ts_received; 0: not known
    std::int32_t partition = -1;  // -1: it comes from a file
    std::int64_t offset = -1;     // on the partition; of a file: the line, over all files of the class
};

enum class ReadState : std::uint8_t {
    event,        // one was read
    nothing_yet,  // not now; a reader that follows waits a little before it says so
    end,          // and there will be none
};

class EventReader {
  public:
    virtual ~EventReader() = default;

    // Fills `event` when there is one. In the order in which the events were stored, per class and
    // session.
    [[nodiscard]] virtual Result<ReadState> next(StoredEvent& event) = 0;

    // Lines or records that could not be read and were passed over.
    [[nodiscard]] virtual std::uint64_t damaged() const = 0;
};

}  // namespace spangate
