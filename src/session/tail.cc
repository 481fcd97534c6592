#include "session/tail.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <memory>
#include <utility>

#include "base/text.h"
#include "observe/log.h"
#include "session/event_json.h"
#include "session/event_line.h"
#include "session/event_reader.h"
#include "session/jsonl_reader.h"
#include "session/kafka_reader.h"

namespace spangate {
namespace {

// An event that is older was not waited for: its line may wait for others.
constexpr WallNanos live_within = 10'000'000'000;

bool is_among(const std::vector<std::string>& wanted, std::string_view value) {
    return std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

bool passes(const TailFilter& filter, const EventFields& fields) {
    if (!filter.tenant_id.empty() && fields.text("tenant_id") != filter.tenant_id) return false;
    if (!filter.session_ids.empty() && !is_among(filter.session_ids, fields.text("session_id"))) {
        return false;
    }
    if (!filter.agents.empty() && !is_among(filter.agents, fields.text("agent_name")) &&
        !is_among(filter.agents, fields.text("agent_id"))) {
        return false;
    }
    return filter.tools.empty() || is_among(filter.tools, fields.text("tool_name"));
}

class Tail {
  public:
    Tail(const TailOptions& options, const KafkaConfig* kafka, std::ostream& out)
        : options_(options),
          kafka_(kafka),
          classes_(options.classes),
          line_(options.has_colours),
          out_(out) {
        if (classes_.empty()) classes_ = {EventClass::operational};
    }

    [[nodiscard]] Result<std::uint64_t> run(const std::atomic<bool>& stop) {
        if (const Status opened = open(); !opened) return tl::unexpected(opened.error());
        StoredEvent event;
        while (!stop.load(std::memory_order_relaxed) && out_.good()) {
            const Result<ReadState> state = reader_->next(event);
            if (!state) {
                if (const Status goes_on = go_on_without(state.error()); !goes_on) {
                    return tl::unexpected(goes_on.error());
                }
                continue;
            }
            if (*state == ReadState::end) break;
            if (*state == ReadState::nothing_yet) {
                out_.flush();
            } else {
                take(event);
            }
        }
        out_.flush();
        damaged_ += reader_->damaged();
        if (damaged_ > 0) log_warn("session", "{} records could not be read", damaged_);
        return printed_;
    }

  private:
    using Place = std::pair<EventClass, std::int32_t>;

    [[nodiscard]] Result<std::unique_ptr<EventReader>> open_reader() const {
        EventQuery query;
        query.classes = classes_;
        // One session is in one partition; for several all of them are read.
        const std::vector<std::string>& sessions = options_.filter.session_ids;
        if (sessions.size() == 1) query.session_id = sessions.front();
        query.since = options_.since;
        query.follows = options_.follows;
        if (!options_.directory.empty()) {
            return JsonlReader::open(options_.directory, std::move(query));
        }
        if (kafka_ == nullptr) {
            return fail(
                ErrorCode::invalid_argument, "neither a directory nor brokers to read from"
            );
        }
        return KafkaReader::open(*kafka_, std::move(query), options_.reads_all_partitions);
    }

    [[nodiscard]] Status open() {
        while (true) {
            Result<std::unique_ptr<EventReader>> reader = open_reader();
            if (reader) {
                reader_ = std::move(*reader);
                return {};
            }
            if (!leave_out(reader.error())) return tl::unexpected(std::move(reader.error()));
        }
    }

    // True when the error is of one class among several, which is then read no more.
    bool leave_out(const Error& error) {
        const bool is_about_class =
            error.code == ErrorCode::permission_denied || error.code == ErrorCode::not_found;
        if (!is_about_class || classes_.size() < 2) return false;
        // Of a topic it names the class, of a file the path.
        const auto refused = std::find_if(classes_.begin(), classes_.end(), [&](EventClass one) {
            const std::string name(name_of(one));
            return error.message.find("class " + name) != std::string::npos ||
                   error.message.find('/' + name) != std::string::npos;
        });
        if (refused == classes_.end()) return false;
        log_warn("session", "goes on without class {}: {}", name_of(*refused), error.message);
        classes_.erase(refused);
        return true;
    }

    // Rights are missed when records are fetched. A reader that follows goes on with the others;
    // one that has an end would wait for that of the refused class, so reading begins anew, and
    // what was printed is passed over.
    [[nodiscard]] Status go_on_without(const Error& error) {
        if (!leave_out(error)) return tl::unexpected(error);
        if (options_.follows) return {};
        damaged_ += reader_->damaged();
        if (const Status opened = open(); !opened) return opened;
        printed_until_ = read_until_;
        return {};
    }

    [[nodiscard]] bool was_printed(const StoredEvent& event) {
        if (event.offset < 0) return false;
        const Place place(event.event_class, event.partition);
        std::int64_t& until = read_until_[place];
        const auto printed = printed_until_.find(place);
        if (printed != printed_until_.end() && event.offset <= printed->second) return true;
        until = std::max(until, event.offset);
        return false;
    }

    void take(StoredEvent& event) {
        if (was_printed(event)) return;
        if (!event.is_json) {
            json_.clear();
            if (append_event_json(event.value, json_)) {
                std::swap(event.value, json_);
                event.is_json = true;
            }
        }
        if (!event.is_json || !fields_.parse(event.value)) {
            ++damaged_;
            return;
        }
        if (!passes(options_.filter, fields_)) return;
        if (options_.prints_json) {
            json_.clear();
            append_harmless(event.value, json_);
            out_ << json_ << '\n';
        } else {
            out_ << line_.text_of(event.event_class, fields_) << '\n';
        }
        ++printed_;
        const bool is_live = clock_.wall_nanos() - event.received_at < live_within;
        if (options_.follows && is_live) out_.flush();
    }

    const TailOptions& options_;
    const KafkaConfig* const kafka_;
    std::vector<EventClass> classes_;
    std::unique_ptr<EventReader> reader_;
    SystemClock clock_;
    EventFields fields_;
    EventLine line_;
    std::ostream& out_;
    std::string json_;
    std::map<Place, std::int64_t> read_until_;     // offsets, by class and partition
    std::map<Place, std::int64_t> printed_until_;  // by a reader that was given up
    std::uint64_t printed_ = 0;
    std::uint64_t damaged_ = 0;
};

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
    return Tail(options, kafka, out).run(stop);
}

}  // namespace spangate
