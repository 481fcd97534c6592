#include "app/reading_place.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>
#include <utility>

#include "app/report_faults.h"
#include "base/clock.h"
#include "base/file_system.h"
#include "config/load_config.h"
#include "session/jsonl_reader.h"
#include "session/kafka_reader.h"
#include "session/tail.h"

namespace spangate {
namespace {

constexpr std::size_t aliases_max = 64;  // a session has few; damaged ones could name many

std::vector<std::string> brokers_from(const std::string& list) {
    std::vector<std::string> brokers;
    std::istringstream stream(list);
    for (std::string broker; std::getline(stream, broker, ',');) {
        if (!broker.empty()) brokers.push_back(broker);
    }
    return brokers;
}

// Whether somebody keeps the class in this directory at all.
bool has_files(const std::string& directory, EventClass event_class) {
    PosixFileSystem files;
    const Result<std::vector<std::string>> names = files.list(directory);
    if (!names) return true;  // the reader says what is wrong
    const std::string name(name_of(event_class));
    return std::any_of(names->begin(), names->end(), [&name](const std::string& file) {
        return file.starts_with(name + ".jsonl") || file.starts_with(name + "-");
    });
}

Status read_class(const ReadingPlace& place, const EventQuery& query, TimelineBuilder& builder) {
    Result<std::unique_ptr<EventReader>> reader = place.open(query);
    if (!reader) return tl::unexpected(std::move(reader.error()));
    StoredEvent event;
    while (true) {
        const Result<ReadState> state = (*reader)->next(event);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) return {};
        if (*state == ReadState::event) builder.add(event);
    }
}

// Leaves out of `classes` what the caller may not read, and what nobody keeps.
Status read_session(
    const ReadingPlace& place,
    EventQuery query,
    std::vector<EventClass>& classes,
    TimelineBuilder& builder
) {
    for (std::size_t i = 0; i < classes.size();) {
        query.classes = {classes[i]};
        const bool is_operational = classes[i] == EventClass::operational;
        const bool is_kept =
            is_operational || place.directory.empty() || has_files(place.directory, classes[i]);
        const Status read = is_kept ? read_class(place, query, builder)
                                    : fail(ErrorCode::not_found, "no files of the class");
        const bool is_left_out = !read && !is_operational &&
                                 (read.error().code == ErrorCode::permission_denied ||
                                  read.error().code == ErrorCode::not_found);
        if (!read && !is_left_out) return read;
        if (is_left_out) {
            classes.erase(classes.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            ++i;
        }
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<EventReader>> ReadingPlace::open(EventQuery query) const {
    if (!query.since) query.since = since;
    if (!directory.empty()) return JsonlReader::open(directory, std::move(query));
    return KafkaReader::open(config.exporters.kafka, std::move(query), reads_all_partitions);
}

tl::expected<ReadingPlace, ExitCode> reading_place_of(
    const char* command, const ReadingArguments& arguments
) {
    ReadingPlace place;
    place.directory = arguments.directory;
    place.tenant_id = arguments.tenant_id;
    place.reads_all_partitions = arguments.reads_all_partitions;
    if (!arguments.config_path.empty()) {
        auto config = load_config(arguments.config_path, ConfigUse::reader);
        if (!config) {
            report_faults(config.error());
            return tl::unexpected(ExitCode::usage);
        }
        place.config = std::move(*config);
    }
    KafkaConfig& kafka = place.config.exporters.kafka;
    if (!arguments.brokers.empty()) kafka.brokers = brokers_from(arguments.brokers);
    if (place.directory.empty() && kafka.brokers.empty()) {
        place.directory = place.config.exporters.jsonl.directory;
    }
    if (place.directory.empty() && kafka.brokers.empty()) {
        std::fprintf(
            stderr, "spangate %s: give --from DIR, --brokers HOST:PORT, or --config FILE\n", command
        );
        return tl::unexpected(ExitCode::usage);
    }
    if (!arguments.since.empty()) {
        const Result<WallNanos> since = since_from(arguments.since, SystemClock().wall_nanos());
        if (!since) return tl::unexpected(reading_failure(command, since.error()));
        place.since = *since;
    }
    return place;
}

ExitCode reading_failure(const char* command, const Error& error) {
    std::fprintf(stderr, "spangate %s: %s\n", command, error.message.c_str());
    switch (error.code) {
        case ErrorCode::invalid_argument:
            return ExitCode::usage;
        case ErrorCode::not_found:
            return ExitCode::not_found;
        case ErrorCode::permission_denied:
        case ErrorCode::unauthenticated:
            return ExitCode::no_rights;
        default:
            return ExitCode::broken;
    }
}

Result<Timeline> read_timeline(
    const ReadingPlace& place, EventQuery query, TimelineSettings settings
) {
    if (query.session_id.empty()) query.session_id = settings.session_id;
    settings.session_id = query.session_id;
    if (!query.since) query.since = place.since;
    settings.since = query.since.value_or(0);
    if (settings.tenant_id.empty()) settings.tenant_id = place.tenant_id;
    if (settings.now == 0) settings.now = SystemClock().wall_nanos();
    query.follows = false;
    std::vector<EventClass> classes = settings.readable;
    TimelineBuilder builder(std::move(settings));
    std::set<std::string> read;
    std::vector<std::string> wanted = {query.session_id};
    while (!wanted.empty() && read.size() < aliases_max) {
        query.session_id = wanted.front();
        builder.accept_session(query.session_id);
        read.insert(query.session_id);
        if (Status done = read_session(place, query, classes, builder); !done) {
            return tl::unexpected(std::move(done.error()));
        }
        wanted = builder.wanted_sessions();
    }
    builder.set_readable(classes);
    Timeline timeline = builder.finish();
    if (timeline.events.empty() && timeline.completeness.damaged == 0) {
        return fail(
            ErrorCode::not_found,
            "there is no session " + timeline.session_id + (query.since ? " since then" : "") +
                (place.directory.empty() && !place.reads_all_partitions
                     ? "; where partitions have been added since, --all-partitions looks everywhere"
                     : "")
        );
    }
    return timeline;
}

}  // namespace spangate
