// Events from the files of the jsonl sink: rotated ones first, compressed or not, then the live
// one, which may grow and be rotated while it is followed. Several classes come merged by
// ts_received.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "session/event_fields.h"
#include "session/event_reader.h"
#include "session/line_file.h"

namespace spangate {

// The files of one class, as one stream.
class JsonlStream {
  public:
    JsonlStream(std::string directory, EventClass event_class, const EventQuery& query);

    // `not_found` when the directory cannot be listed.
    [[nodiscard]] Status start();

    // False when there is nothing (now).
    [[nodiscard]] Result<bool> next(StoredEvent& event);

    // Of the event that next() gave.
    [[nodiscard]] WallNanos received_at() const { return received_at_; }

    [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

  private:
    // A rotated file's name without its ending, with what it is sorted by.
    struct Rotated {
        std::string time;
        std::uint64_t number = 0;
        std::string base;

        friend auto operator<=>(const Rotated&, const Rotated&) = default;
    };

    [[nodiscard]] Result<std::set<Rotated>> list() const;
    [[nodiscard]] std::optional<Rotated> rotated_from(std::string_view name) const;
    [[nodiscard]] Result<bool> open_next();
    [[nodiscard]] Result<bool> find_fresh();
    [[nodiscard]] Result<bool> read_line();
    [[nodiscard]] Result<bool> go_on_behind_end();
    [[nodiscard]] bool is_wanted();

    const std::string directory_;
    const std::string name_;  // of the class
    const std::string live_path_;
    const EventClass event_class_;
    const EventQuery& query_;
    std::set<Rotated> waiting_;  // to be read
    std::set<Rotated> seen_;
    std::optional<LineFile> current_;
    bool is_live_ = false;      // current_ is, or was when it was opened
    bool is_replaced_ = false;  // current_ was live and has been rotated since
    std::string line_;
    EventFields fields_;
    WallNanos received_at_ = 0;
    std::int64_t lines_ = 0;  // read so far, headers aside
    std::uint64_t damaged_ = 0;
};

class JsonlReader final : public EventReader {
  public:
    [[nodiscard]] static Result<std::unique_ptr<JsonlReader>> open(
        const std::string& directory, EventQuery query
    );

    [[nodiscard]] Result<ReadState> next(StoredEvent& event) override;
    [[nodiscard]] std::uint64_t damaged() const override;

  private:
    explicit JsonlReader(EventQuery query) : query_(std::move(query)) {}

    struct Source {
        JsonlStream stream;
        StoredEvent head;
        bool has_head = false;
    };

    const EventQuery query_;
    std::vector<Source> sources_;
};

}  // namespace spangate
