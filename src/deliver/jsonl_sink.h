// Records → one JSONL file per class in a directory: what a run without Kafka leaves behind, and
// what replay, ClickHouse and people read.
//
//   send() ──▶ waiting ──thread──▶ append to operational, detail, evidence ──▶ fdatasync ──▶ stored
//                                   └ a fault: withdrawn, the file set aside, a new one a second
//                                     later
//
// All that waits when the thread comes round is written together and made durable with one
// fdatasync per file (group commit). See jsonl_file.h for the files themselves.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/file_system.h"
#include "base/result.h"
#include "config/config.h"
#include "deliver/evidence_key_file.h"
#include "deliver/jsonl_archive.h"
#include "deliver/jsonl_file.h"
#include "deliver/sink_ledger.h"
#include "model/record.h"
#include "observe/health.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace spangate {

struct JsonlSinkSettings {
    JsonlConfig jsonl;
    JsonlRunFacts facts;
    Bytes memory_bytes_max = 128 * mib;  // what admission may lease in all
};

class JsonlSink final : public RecordSink {
  public:
    // Records that wait for the disk; beyond it they are withdrawn. Admission's own bound bites
    // first: a request leases more than its records take, but for the smallest, whose headers the
    // factor leaves room for (as the Kafka sink's queue does). So what was let in also fits.
    [[nodiscard]] static constexpr Bytes waiting_bytes_max(Bytes memory_bytes_max) {
        return std::max(2 * memory_bytes_max, 32 * mib);
    }

    // From here on new requests are refused: the disk is behind.
    [[nodiscard]] static constexpr Bytes refusing_bytes(Bytes memory_bytes_max) {
        return std::max(memory_bytes_max / 4, 16 * mib);
    }

    // After a fault the files are tried again this often.
    static constexpr Millis retry_interval{1'000};

    // Makes the directory and the files, and brings what an earlier run left there in order; fails
    // when that cannot be done. The arguments after `settings` outlive the sink.
    [[nodiscard]] static Result<std::unique_ptr<JsonlSink>> open(
        const JsonlSinkSettings& settings,
        FileSystem& files,
        WithdrawalListener& listener,
        Health& health,
        const Clock& clock,
        Metrics& metrics
    );

    JsonlSink(const JsonlSink&) = delete;
    JsonlSink& operator=(const JsonlSink&) = delete;

    // What still waits is written first.
    ~JsonlSink() override;

    void send(std::span<OutboundRecord* const> records) override;

    [[nodiscard]] bool is_required() const override { return ledger_.is_required(); }

    [[nodiscard]] Refusal refusal() const override;
    void drain(SteadyTime deadline) override;

  private:
    JsonlSink(
        const JsonlSinkSettings& settings,
        FileSystem& files,
        WithdrawalListener& listener,
        Health& health,
        const Clock& clock,
        Metrics& metrics
    );

    // What the sink cannot do just now.
    enum class Trouble : std::uint8_t { none, no_space, cannot_write };

    // For clients and /readyz.
    [[nodiscard]] static std::string_view words_for(Trouble trouble);

    struct ClassFile {
        std::unique_ptr<JsonlFile> file;
        std::vector<OutboundRecord*> records;  // of the commit under way
        bool is_broken = false;
    };

    [[nodiscard]] Status begin_files();

    // The sink's thread.
    void run();
    [[nodiscard]] bool take_waiting();
    void commit();
    [[nodiscard]] bool write(ClassFile& target);
    void break_down(ClassFile& target, std::string_view kind, const Error& error);
    void repair_when_due();
    void settle(ClassFile& target, bool is_stored);
    void commit_keys();

    const Bytes waiting_bytes_max_;
    const Bytes refusing_bytes_;
    const Clock& clock_;
    Health& health_;
    SinkLedger ledger_;
    Counter& commits_;
    Metrics& metrics_;
    LogLimit log_limit_;
    JsonlArchive archive_;
    std::array<ClassFile, event_classes_count> files_;
    EvidenceKeyFile key_file_;                  // the sink's thread only
    std::vector<OutboundRecord*> key_records_;  // of the commit under way

    mutable std::mutex mutex_;
    std::condition_variable work_;                   // waiting_ or is_stopping_ changed
    std::condition_variable idle_;                   // unsettled_count_ fell
    std::vector<OutboundRecord*> waiting_;           // guarded by mutex_
    bool is_stopping_ = false;                       // guarded by mutex_
    std::size_t unsettled_count_ = 0;                // guarded by mutex_
    std::atomic<std::uint64_t> unsettled_bytes_{0};  // written under mutex_
    std::atomic<Trouble> trouble_{Trouble::none};

    // The sink's thread only.
    std::vector<OutboundRecord*> batch_;
    std::string lines_;
    SteadyTime next_repair_{};

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace spangate
