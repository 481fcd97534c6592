#include "simulation/book.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace spangate::simulation {
namespace {

constexpr std::size_t marker_bytes = 9;

const std::string& filler() {
    static const std::string text = [] {
        std::string made(8'192, 'a');
        for (std::size_t i = 0; i < made.size(); ++i)
            made[i] = static_cast<char>('a' + i % 26);
        return made;
    }();
    return text;
}

void fill_event_id(EventId& id, std::uint32_t session, std::uint32_t event) {
    fmt::format_to_n(id.data(), id.size(), "{:016x}{:016x}", session, event);
}

}  // namespace

std::string Book::marker_of(std::uint32_t no) {
    return fmt::format("#{:08x}", no);
}

std::string Book::name_of(const Copy& copy) const {
    if (copy.lost != Copy::none) {
        return fmt::format("dead letter #{:x} of #{:x}", copy.no, copy.lost);
    }
    return fmt::format(
        "#{:x} (line {}, session {}, event {}, process {}, seq {})",
        copy.no,
        copy.line,
        copy.session,
        copy.event,
        copy.process,
        copy.record.gateway_seq
    );
}

Copy& Book::make(const Wish& wish) {
    Copy& copy = copies_.emplace_back();
    copy.no = static_cast<std::uint32_t>(copies_.size() - 1);
    copy.line = wish.line;
    copy.process = wish.process;
    copy.session = wish.session;
    copy.event = wish.event;
    copy.group = wish.group;
    copy.lost = wish.lost;
    copy.is_invalid = wish.is_invalid;
    const std::size_t key_bytes = 2;
    copy.bytes = fmt::format("s{}{}", wish.session, marker_of(copy.no));
    const std::size_t bytes = key_bytes + std::max<std::size_t>(wish.bytes, marker_bytes);
    copy.bytes.append(filler(), copy.no % 26, bytes - copy.bytes.size());
    OutboundRecord& record = copy.record;
    record.event_class = static_cast<EventClass>(std::min<std::uint32_t>(wish.line, 2));
    record.event_type = wish.event % 2 == 0 ? EventType::inference : EventType::tool_request;
    record.starts_event = wish.line == 0;
    fill_event_id(record.event_id, wish.session, wish.event);
    record.timestamp_ms = 1'700'000'000'000 + copy.no;  // before the simulated clock
    record.session_hash = wish.session;
    record.tenant_id = "acme";
    record.key = std::string_view(copy.bytes).substr(0, key_bytes);
    record.traceparent = wish.event % 3 == 0 ? "00-trace-span-01" : "";
    record.value = copy.bytes.data() + key_bytes;
    record.value_bytes = static_cast<std::uint32_t>(copy.bytes.size() - key_bytes);
    record.gateway_epoch = wish.epoch;
    record.gateway_seq = wish.seq;
    record.sinks_open.store(Copy::holds);
    open_.push_back(copy.no);
    return copy;
}

Copy* Book::find(const OutboundRecord& record, std::string_view where) {
    std::uint32_t no = 0;
    const std::string_view value = record.value_view();
    const bool has_marker =
        value.size() >= marker_bytes && value[0] == '#' &&
        std::from_chars(value.data() + 1, value.data() + marker_bytes, no, 16).ec == std::errc();
    if (!has_marker || no >= copies_.size()) {
        fail(fmt::format("{}: a record is no copy of any that was given", where));
        return nullptr;
    }
    Copy& copy = copies_[no];
    const OutboundRecord& given = copy.record;
    const bool is_equal =
        value == given.value_view() && record.key == given.key &&
        record.event_id == given.event_id && record.event_class == given.event_class &&
        record.event_type == given.event_type && record.source == given.source &&
        record.starts_event == given.starts_event && record.timestamp_ms == given.timestamp_ms &&
        record.session_hash == given.session_hash && record.tenant_id == given.tenant_id &&
        record.traceparent == given.traceparent && record.gateway_epoch == given.gateway_epoch &&
        record.gateway_seq == given.gateway_seq;
    if (!is_equal) fail(fmt::format("{}: {} is not as it was given", where, name_of(copy)));
    return &copy;
}

void Book::appended(Copy& copy, std::uint32_t partition) {
    const std::int64_t place = next_place_[copy.line][partition]++;
    trace_.note("      Kafka appends {} at {}/{}", name_of(copy), partition, place);
    mix(copy.no);
    if (copy.place < 0) copy.place = place;
    if (copy.lost != Copy::none) copies_[copy.lost].is_dead_lettered = true;
}

void Book::watch_settlements() {
    std::erase_if(open_, [this](std::uint32_t no) {
        const Copy& copy = copies_[no];
        const std::uint32_t left = copy.record.sinks_open.load();
        if (left == Copy::holds) return false;
        if (left != Copy::holds - 1) fail(fmt::format("{} was settled twice", name_of(copy)));
        mix(no);
        return true;
    });
}

void Book::crashed(std::uint32_t process) {
    for (Copy& copy : copies_) {
        if (copy.process == process) copy.must_arrive = false;
    }
}

void Book::fail(std::string what) {
    trace_.note("WRONG: {}", what);
    if (wrong_.empty()) wrong_ = std::move(what);
}

// at the end ──────────────────────────────────────────────────────────────────────────────────────

void Book::check_all_settled() {
    watch_settlements();
    for (const Copy& copy : copies_) {
        const std::uint32_t left = copy.record.sinks_open.load();
        if (left == Copy::holds) fail(fmt::format("{} was never settled", name_of(copy)));
        if (left < Copy::holds - 1) fail(fmt::format("{} was settled twice", name_of(copy)));
    }
}

void Book::check_nothing_is_lost() {
    for (const Copy& copy : copies_) {
        const bool is_stored = copy.place >= 0 || copy.is_dead_lettered;
        const bool is_due = copy.is_accepted || (copy.must_arrive && !copy.is_withdrawn);
        if (is_due && !is_stored) {
            fail(fmt::format("{} was acknowledged and is lost", name_of(copy)));
        }
    }
}

void Book::check_order() {
    for (std::uint32_t line = 0; line < plan_.class_lines; ++line) {
        for (std::uint32_t session = 0; session < plan_.sessions; ++session) {
            check_numbers_in_order(line, session);
            if (plan_.window == 1) check_events_in_order(line, session);
        }
    }
}

// The accepted stand in the order of their numbers; those of a later process behind.
void Book::check_numbers_in_order(std::uint32_t line, std::uint32_t session) {
    const Copy* last = nullptr;
    for (const Copy& copy : copies_) {
        if (copy.line != line || copy.session != session || !copy.is_accepted || copy.place < 0) {
            continue;
        }
        if (last != nullptr && copy.place < last->place) {
            fail(fmt::format("{} stands before {}", name_of(copy), name_of(*last)));
        }
        last = &copy;
    }
}

// Whoever waits for the answer before the next request has its own order, whatever was repeated. Of
// a request that was refused, parts may have come before its repeat.
void Book::check_events_in_order(std::uint32_t line, std::uint32_t session) {
    struct Event {
        std::uint32_t group = 0;
        std::int64_t first = -1;
        bool is_accepted = false;
    };

    std::map<std::uint32_t, Event> events;
    for (const Copy& copy : copies_) {
        if (copy.line != line || copy.session != session || copy.place < 0) continue;
        Event& event = events[copy.event];
        event.group = copy.group;
        if (event.first < 0 || copy.place < event.first) event.first = copy.place;
        event.is_accepted = event.is_accepted || copy.is_accepted;
    }
    std::int64_t last = -1;         // of the present request
    std::int64_t last_before = -1;  // of those before
    std::uint32_t group = 0;
    for (const auto& [number, event] : events) {
        if (!event.is_accepted) continue;
        if (event.group != std::exchange(group, event.group)) last_before = last;
        if (event.first < last_before) {
            fail(fmt::format(
                "line {}: event {} of session {} first stands at {}, one of a former request at {}",
                line,
                number,
                session,
                event.first,
                last_before
            ));
        }
        last = std::max(last, event.first);
    }
}

// A number that is missing before one that arrived was told to the gap book.
void Book::check_holes() {
    struct Key {
        std::uint32_t line, session, process;
        auto operator<=>(const Key&) const = default;
    };

    std::map<Key, const Copy*> missing;  // the first, not told
    for (const Copy& copy : copies_) {
        if (copy.lost != Copy::none) continue;
        const Key key{copy.line, copy.session, copy.process};
        if (copy.place < 0 && !copy.is_withdrawn) {
            missing.emplace(key, &copy);
            continue;
        }
        const auto found = missing.find(key);
        if (copy.place >= 0 && found != missing.end()) {
            fail(fmt::format("nobody told that {} is missing", name_of(*found->second)));
        }
    }
}

}  // namespace spangate::simulation
