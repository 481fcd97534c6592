// A session as it is stored, made by hand: records of all three classes that belong together, with
// numbers, offsets and commitments as a gateway gives them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session/event_reader.h"
#include "timeline/timeline_builder.h"

namespace spangate {

// One span's events.
struct StoredSpan {
    std::uint64_t span = 1;
    std::uint64_t parent = 0;  // 0: a root
    std::string begin_type;    // of the event at its start; empty: none
    std::string end_type = "inference";
    std::string also_type;  // of an event that adds to it; empty: none
    std::int64_t start_ms = 0;
    std::int64_t end_ms = 0;
    std::string agent = "planner";
    std::string outcome = "ok";
    std::string fields;      // further JSON members of all its events, «"tool_name":"x"»
    std::string end_fields;  // of the event at its end
    bool has_evidence = true;
};

struct StoredRecord {
    StoredEvent stored;
    std::string event_id;
    bool is_primary = false;
};

class StoredSession {
  public:
    explicit StoredSession(std::string session_id = "s-1") : session_id_(std::move(session_id)) {}

    // Records in the order in which a gateway hands them on.
    void add(const StoredSpan& span);

    // One event that no span tells: a log record's, or the gateway's own. `fields` go before all
    // others; its number is the next one.
    void add_event(const std::string& type, std::int64_t at_ms, const std::string& fields);

    [[nodiscard]] const std::vector<StoredRecord>& records() const { return records_; }

    std::vector<StoredRecord>& records() { return records_; }

    // Numbers that are given and stored nowhere.
    void skip_numbers(std::uint64_t count) { seq_ += count; }

    void start_epoch() {
        ++epoch_;
        seq_ = 0;
    }

    std::string gateway_id = "gw-1";
    std::string tenant_id = "default";

    // A planner, a validator with tools, a handoff and a policy; nothing is wrong with it.
    [[nodiscard]] static StoredSession good();

  private:
    struct EventPlan {
        std::string type;
        std::string slot;
        std::int64_t at_ms = 0;
        bool is_primary = false;
        bool is_at_end = false;
    };

    void add_span_event(const StoredSpan& span, const EventPlan& plan);
    void store(EventClass event_class, const std::string& event_id, std::string value);
    [[nodiscard]] std::string head(
        const std::string& event_id, const std::string& type, std::int64_t at_ms
    );

    std::string session_id_;
    std::uint64_t epoch_ = 1;
    std::uint64_t seq_ = 0;
    std::int64_t received_ms_ = 0;
    std::vector<StoredRecord> records_;
    std::int64_t offsets_[3] = {0, 0, 0};
};

// With all classes readable, in the order given.
[[nodiscard]] TimelineSettings settings_for(const StoredSession& session);
[[nodiscard]] Timeline timeline_of(
    const std::vector<StoredRecord>& records, TimelineSettings settings = {}
);

// The whole of a timeline as text, to compare two of them.
[[nodiscard]] std::string text_of(const Timeline& timeline);

}  // namespace spangate
