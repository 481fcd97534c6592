// Puts a Timeline together. One thread. Checks are those of docs: see timeline/README.md.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "config/config.h"
#include "session/event_reader.h"
#include "timeline/timeline.h"

namespace spangate {

struct TimelineSettings {
    std::string tenant_id;  // only this one's; empty: the tenant that is found
    std::string session_id;
    std::vector<EventClass> readable = {EventClass::operational};  // what the reader gives
    WallNanos late_after = 60'000'000'000;
    WallNanos skew_min = 1'000'000'000;
    WallNanos silent_after = 600'000'000'000;  // a session without an event so long has ended
    WallNanos now = 0;                         // 0: the newest event's time
    WallNanos since = 0;  // what was received before was not read; 0: everything was
    bool keeps_details = true;
    GuardConfig guard;  // thresholds of the loop detector
};

class TimelineBuilder {
  public:
    explicit TimelineBuilder(TimelineSettings settings);
    ~TimelineBuilder();

    // In any order; records of other sessions and tenants are passed over, except through aliases.
    void add(const StoredEvent& stored);

    // Sessions that an alias names and that were not added yet: read them too, then finish().
    [[nodiscard]] std::vector<std::string> wanted_sessions() const;

    // From then on records of `session_id` belong to the story too.
    void accept_session(const std::string& session_id);

    // What could be read after all, in place of `settings.readable`.
    void set_readable(std::vector<EventClass> classes);

    [[nodiscard]] Timeline finish();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace spangate
