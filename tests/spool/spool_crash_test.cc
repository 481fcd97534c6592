// Random histories of one log on a simulated disk: whatever is cut, torn, full or refused, what a
// sync stored is read back in order, once a process, until it is acknowledged.
#include <deque>
#include <map>
#include <optional>
#include <random>
#include <set>

#include <catch2/catch.hpp>

#include "spool/spool_log.h"
#include "support/simulated_disk.h"
#include "support/spool_context.h"

namespace spangate {
namespace {

using testing::SimulatedDisk;
using testing::spool_record;

constexpr std::uint64_t histories = 1500;

class History {
  public:
    explicit History(std::uint64_t seed)
        : has_faults_(seed % 2 == 0),
          has_full_disk_(seed % 4 < 2),
          random_(seed),
          disk_(seed + 1) {
        settings_.directory = "/spool/detail";
        settings_.line = SpoolLine::detail;
        settings_.seed = seed + 1;
        // Many small segments: the seams are where faults are.
        settings_.segment_bytes_max = 512 + below(4096);
    }

    // Empty: all held; else what did not.
    std::string run(int steps) {
        reopen();
        for (int step = 0; step < steps && wrong_.empty(); ++step)
            take_step();
        if (wrong_.empty()) finish();
        return wrong_;
    }

  private:
    std::size_t below(std::size_t bound) { return random_() % bound; }

    void take_step() {
        switch (below(12)) {
            case 0:
                crash();
                break;
            case 1:
                if (has_faults_) break_something();
                break;
            case 2:
                if (has_full_disk_)
                    disk_.set_capacity(
                        below(2) == 0 ? disk_.bytes_used() + below(3000) : UINT64_MAX
                    );
                break;
            case 3:
                log_->rewind();
                break;
            case 4:
                (void)log_->save_cursor();
                break;
            case 5:
            case 6:
            case 7:
                write_round();
                break;
            case 8:
            case 9:
                read(1 + below(20));
                break;
            default:
                acknowledge();
        }
    }

    void break_something() {
        const char* const operation = fault_names[below(fault_names.size())];
        disk_.fail_next(operation, below(2) == 0 ? ErrorCode::io : ErrorCode::unavailable);
    }

    void write_round() {
        std::vector<std::uint64_t> round;
        const std::size_t count = 1 + below(8);
        bool is_lost = false;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint64_t number = ++last_number_;
            const std::size_t bytes = below(20) == 0 ? 300'000 : below(900);
            if (log_->append(spool_record(number, bytes).view())) {
                round.push_back(number);
            } else {
                is_lost = true;
            }
            // A crash in the midst of a round.
            if (below(60) == 0) {
                lost_rounds_.push_back(round);
                crash();
                return;
            }
        }
        const Status synced = log_->sync();
        if (synced && is_lost) wrong_ = "a round that lost a record was synced";
        if (synced) {
            stored_.insert(round.begin(), round.end());
        } else {
            lost_rounds_.push_back(round);
        }
    }

    void read(std::size_t count) {
        for (std::size_t i = 0; i < count && wrong_.empty(); ++i) {
            const Result<std::optional<SpoolEntry>> entry = log_->read_next();
            if (!entry) continue;  // an injected fault; the next call reads on
            if (!*entry) {
                is_drained_ = true;
                return;
            }
            take((*entry)->entry_no, (*entry)->record);
        }
    }

    void take(std::uint64_t entry_no, const SpoolRecord& record) {
        const std::uint64_t number = record.gateway_seq;
        const testing::OwnedSpoolRecord expected = spool_record(number, record.value.size());
        if (record.value != expected.value || record.key != expected.key) {
            wrong_ = "record " + std::to_string(number) + " is not what was written";
        }
        const auto [known, is_new] = entries_.emplace(entry_no, number);
        if (!is_new && known->second != number) wrong_ = "an entry number names two records";
        if (!is_new) return;
        if (number <= newest_read_) wrong_ = "out of order, or twice in one process";
        newest_read_ = number;
        open_.push_back({entry_no, number});
        read_.insert(number);
    }

    void acknowledge() {
        for (std::size_t count = below(10); count > 0 && !open_.empty(); --count) {
            const std::size_t at = below(4) == 0 ? below(open_.size()) : 0;
            log_->acknowledge(open_[at].first);
            stored_.erase(open_[at].second);
            acknowledged_.insert(open_[at].second);
            open_.erase(open_.begin() + static_cast<std::ptrdiff_t>(at));
        }
    }

    void crash() {
        const bool is_power_cut = below(2) == 0;
        if (is_power_cut) {
            disk_.cut_power();
        } else {
            disk_.kill();
        }
        reopen();
    }

    void reopen() {
        log_.reset();
        disk_.start();
        disk_.set_capacity(UINT64_MAX);
        for (const char* name : fault_names)
            disk_.fail_next(name, ErrorCode::io, 0);
        settings_.seed = random_();
        space_ = std::make_unique<SpoolSpace>(64 * 1024 * 1024);
        metrics_ = std::make_unique<Metrics>();
        Result<std::unique_ptr<SpoolLog>> opened =
            SpoolLog::open(settings_, disk_, *space_, *metrics_);
        if (!opened) {
            wrong_ = "open: " + opened.error().message;
            return;
        }
        log_ = std::move(*opened);
        entries_.clear();
        open_.clear();
        read_.clear();
        newest_read_ = 0;
        is_drained_ = false;
    }

    // Everything is read in a new process, and nothing is missing.
    void finish() {
        crash();
        while (wrong_.empty() && !is_drained_)
            read(100);
        for (const std::uint64_t number : stored_) {
            if (!read_.contains(number) && wrong_.empty()) {
                wrong_ = "record " + std::to_string(number) + " was stored and is gone";
            }
        }
        for (const std::vector<std::uint64_t>& round : lost_rounds_)
            expect_prefix(round);
        const std::uint64_t missing = metrics_
                                          ->counter(
                                              "spangate_spool_damages_total",
                                              "",
                                              {{"class", "detail"}, {"reason", "missing_segment"}}
                                          )
                                          .value();
        // A cursor that could not be written does not know which segments went.
        if (missing > 0 && !has_faults_ && !has_full_disk_ && wrong_.empty())
            wrong_ = "a segment is told missing";
        if (log_->records_count() != open_.size()) wrong_ = "records_count() is not what was read";
    }

    // Of a round that was not stored, no younger record comes back without the older ones.
    void expect_prefix(const std::vector<std::uint64_t>& round) {
        bool has_gap = false;
        for (const std::uint64_t number : round) {
            if (!read_.contains(number) && !acknowledged_.contains(number)) {
                has_gap = true;
            } else if (has_gap && wrong_.empty()) {
                wrong_ = "of a lost round, " + std::to_string(number) + " came without the older";
            }
        }
    }

    static constexpr std::array<const char*, 8> fault_names = {
        "append",
        "sync",
        "sync_directory",
        "open_append",
        "open_read",
        "truncate",
        "rename",
        "remove"};

    // Without both: only crashes.
    const bool has_faults_;
    const bool has_full_disk_;
    std::mt19937_64 random_;
    SimulatedDisk disk_;
    SpoolLogSettings settings_;
    std::unique_ptr<SpoolSpace> space_;
    std::unique_ptr<Metrics> metrics_;
    std::unique_ptr<SpoolLog> log_;
    std::string wrong_;

    std::uint64_t last_number_ = 0;
    std::set<std::uint64_t> stored_;  // synced and not acknowledged
    std::set<std::uint64_t> acknowledged_;
    std::vector<std::vector<std::uint64_t>> lost_rounds_;

    // Of this process.
    std::map<std::uint64_t, std::uint64_t> entries_;             // entry number → record
    std::vector<std::pair<std::uint64_t, std::uint64_t>> open_;  // read, not acknowledged
    std::set<std::uint64_t> read_;
    std::uint64_t newest_read_ = 0;
    bool is_drained_ = false;
};

}  // namespace

TEST_CASE("after any crash and fault what was stored is read back in order, until acknowledged") {
    for (std::uint64_t seed = 1; seed <= histories; ++seed) {
        const std::string wrong = History(seed).run(60);
        INFO("seed " << seed << ": " << wrong);
        REQUIRE(wrong.empty());
    }
}

}  // namespace spangate
