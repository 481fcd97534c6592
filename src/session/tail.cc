#include "session/tail.h"

#include <charconv>
#include <memory>

#include "base/text.h"
#include "observe/log.h"
#include "session/event_line.h"
#include "session/event_reader.h"
#include "session/jsonl_reader.h"
#include "session/kafka_reader.h"

namespace spangate {
namespace {

Result<std::unique_ptr<EventReader>> open_reader(
    const TailOptions& options, const KafkaConfig* kafka
) {
    EventQuery query;
    if (!options.classes.empty()) query.classes = options.classes;
    query.session_id = options.session_id;
    query.since = options.since;
    query.follows = options.follows;
    if (!options.directory.empty()) return JsonlReader::open(options.directory, std::move(query));
    if (kafka == nullptr) {
        return fail(ErrorCode::invalid_argument, "neither a directory nor brokers to read from");
    }
    return KafkaReader::open(*kafka, std::move(query));
}

}  // namespace

Result<WallNanos> since_from(std::string_view text, WallNanos now) {
    if (const std::optional<WallNanos> at = from_rfc3339(text)) return *at;
    constexpr std::string_view units = "smhd";
    constexpr WallNanos second = 1'000'000'000;
    constexpr std::array<WallNanos, 4> unit_nanos = {
        second, 60 * second, 3'600 * second, 86'400 * second};
    std::uint32_t count = 0;
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, count);
    const std::size_t unit =
        error == std::errc() && end - at == 1 ? units.find(*at) : std::string_view::npos;
    if (unit == std::string_view::npos || count > 100'000) {
        return fail(
            ErrorCode::invalid_argument,
            "--since takes an age such as 30s, 10m, 2h or 1d, or an RFC 3339 time"
        );
    }
    return now - static_cast<WallNanos>(count) * unit_nanos[unit];
}

Result<std::uint64_t> run_tail(
    const TailOptions& options,
    const KafkaConfig* kafka,
    std::ostream& out,
    const std::atomic<bool>& stop
) {
    Result<std::unique_ptr<EventReader>> reader = open_reader(options, kafka);
    if (!reader) return tl::unexpected(std::move(reader.error()));
    EventLine line(options.has_colours);
    StoredEvent event;
    std::string json;
    std::uint64_t printed = 0;
    while (!stop.load(std::memory_order_relaxed) && out.good()) {
        const Result<ReadState> state = (*reader)->next(event);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) break;
        if (*state == ReadState::nothing_yet) {
            out.flush();
            continue;
        }
        if (options.prints_json && event.is_json) {
            json.clear();
            append_harmless(event.value, json);
            out << json << '\n';
        } else {
            out << line.text_of(event) << '\n';
        }
        ++printed;
    }
    out.flush();
    if ((*reader)->damaged() > 0) {
        log_warn("session", "{} records could not be read", (*reader)->damaged());
    }
    return printed;
}

}  // namespace spangate
