#include "deliver/jsonl_sink.h"

#include <utility>

namespace spangate {
namespace {

constexpr std::string_view room = "jsonl";

// Lines are gathered up to this size before they are written.
constexpr std::size_t write_bytes = 1024 * 1024;

// How often the thread looks at the clock while there is something to repair or a drain to end.
constexpr std::chrono::milliseconds look_interval{20};

}  // namespace

Result<std::unique_ptr<JsonlSink>> JsonlSink::open(
    const JsonlSinkSettings& settings,
    FileSystem& files,
    WithdrawalListener& listener,
    Health& health,
    const Clock& clock,
    Metrics& metrics
) {
    if (Status made = files.make_directories(settings.jsonl.directory); !made) {
        return tl::unexpected(std::move(made.error()));
    }
    std::unique_ptr<JsonlSink> sink(new JsonlSink(settings, files, listener, health, clock, metrics)
    );
    if (Status begun = sink->begin_files(); !begun) return tl::unexpected(std::move(begun.error()));
    return sink;
}

JsonlSink::JsonlSink(
    const JsonlSinkSettings& settings,
    FileSystem& files,
    WithdrawalListener& listener,
    Health& health,
    const Clock& clock,
    Metrics& metrics
)
    : waiting_bytes_max_(waiting_bytes_max(settings.memory_bytes_max)),
      refusing_bytes_(refusing_bytes(settings.memory_bytes_max)),
      clock_(clock),
      health_(health),
      ledger_(metrics, "jsonl", settings.jsonl.required, listener),
      commits_(metrics.counter(
          "spangate_jsonl_commits_total", "Groups of records made durable together."
      )),
      metrics_(metrics),
      archive_(settings.jsonl, files, clock, metrics),
      key_file_(settings.jsonl.directory, files) {
    for (std::size_t i = 0; i < event_classes_count; ++i) {
        files_[i].file = std::make_unique<JsonlFile>(
            settings.jsonl,
            settings.facts,
            static_cast<EventClass>(i),
            files,
            clock,
            archive_,
            metrics
        );
    }
}

Status JsonlSink::begin_files() {
    for (ClassFile& target : files_) {
        if (Status opened = target.file->open(); !opened) return opened;
    }
    thread_ = std::thread([this] { run(); });
    return {};
}

JsonlSink::~JsonlSink() {
    {
        const std::lock_guard lock(mutex_);
        is_stopping_ = true;
    }
    work_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void JsonlSink::send(std::span<OutboundRecord* const> records) {
    ledger_.accept(records);
    std::size_t taken = 0;
    {
        const std::lock_guard lock(mutex_);
        for (; taken < records.size() && !is_stopping_; ++taken) {
            const std::uint64_t bytes = records[taken]->value_bytes;
            if (unsettled_bytes_.load(std::memory_order_relaxed) + bytes > waiting_bytes_max_)
                break;
            unsettled_bytes_.fetch_add(bytes, std::memory_order_relaxed);
            waiting_.push_back(records[taken]);
        }
        unsettled_count_ += taken;
    }
    work_.notify_one();
    if (taken == records.size()) return;
    ledger_.withdraw(
        records.subspan(taken),
        {Settlement::retry_later, WithdrawalReason::sink_refusing, "the JSONL files are behind", 1}
    );
}

RecordSink::Refusal JsonlSink::refusal() const {
    const Trouble trouble = trouble_.load(std::memory_order_relaxed);
    if (trouble != Trouble::none) return {words_for(trouble), 1};
    if (unsettled_bytes_.load(std::memory_order_relaxed) >= refusing_bytes_) {
        return {"the JSONL files are behind", 1};
    }
    return {};
}

void JsonlSink::drain(SteadyTime deadline) {
    std::vector<OutboundRecord*> late;
    {
        std::unique_lock lock(mutex_);
        const auto is_idle = [this] {
            return unsettled_count_ == 0;
        };
        while (!is_idle() && clock_.steady() < deadline)
            idle_.wait_for(lock, look_interval, is_idle);
        late.swap(waiting_);
        unsettled_count_ -= late.size();
        for (const OutboundRecord* record : late)
            unsettled_bytes_.fetch_sub(record->value_bytes, std::memory_order_relaxed);
    }
    if (late.empty()) return;
    ledger_.withdraw(
        late,
        {Settlement::retry_later,
         WithdrawalReason::shutdown,
         "the gateway stopped before its JSONL files took the record",
         1}
    );
}

void JsonlSink::run() {
    while (take_waiting()) {
        repair_when_due();
        if (!batch_.empty()) commit();
    }
}

bool JsonlSink::take_waiting() {
    std::unique_lock lock(mutex_);
    const auto has_work = [this] {
        return is_stopping_ || !waiting_.empty();
    };
    if (trouble_.load(std::memory_order_relaxed) == Trouble::none) {
        work_.wait(lock, has_work);
    } else {
        work_.wait_for(lock, look_interval, has_work);
    }
    if (is_stopping_ && waiting_.empty()) return false;
    batch_.swap(waiting_);
    return true;
}

void JsonlSink::commit() {
    std::uint64_t bytes = 0;
    for (OutboundRecord* record : batch_) {
        bytes += record->value_bytes;
        if (record->is_evidence_key) {
            key_records_.push_back(record);
        } else {
            files_[static_cast<std::size_t>(record->event_class)].records.push_back(record);
        }
    }
    if (!key_records_.empty()) commit_keys();
    for (ClassFile& target : files_) {
        if (!target.records.empty()) settle(target, write(target));
    }
    commits_.add();
    {
        const std::lock_guard lock(mutex_);
        unsettled_count_ -= batch_.size();
        unsettled_bytes_.fetch_sub(bytes, std::memory_order_relaxed);
    }
    idle_.notify_all();
    batch_.clear();
}

// Without the trouble of the other files: who is told that a key was not stored comes back with it.
void JsonlSink::commit_keys() {
    lines_.clear();
    for (const OutboundRecord* record : key_records_) {
        lines_ += record->value_view();
        lines_ += '\n';
    }
    if (const Status done = key_file_.append(lines_); done) {
        ledger_.store(key_records_);
    } else {
        metrics_
            .counter(
                "spangate_jsonl_faults_total",
                "Faults of the JSONL files.",
                {{"kind", "evidence_keys"}}
            )
            .add();
        if (log_limit_.allows()) log_error("deliver", "{}", done.error().message);
        ledger_.withdraw(
            key_records_,
            {Settlement::retry_later,
             WithdrawalReason::write_failed,
             words_for(Trouble::cannot_write),
             1}
        );
    }
    key_records_.clear();
}

bool JsonlSink::write(ClassFile& target) {
    if (target.is_broken) return false;
    Status done;
    lines_.clear();
    for (const OutboundRecord* record : target.records) {
        lines_ += record->value_view();
        lines_ += '\n';
        if (lines_.size() < write_bytes) continue;
        if (done = target.file->append(lines_); !done) break;
        lines_.clear();
    }
    if (done) done = target.file->append(lines_);
    if (!done) {
        break_down(target, "write", done.error());
        return false;
    }
    if (done = target.file->sync(); !done) {
        break_down(target, "sync", done.error());
        return false;
    }
    if (!target.file->is_full()) return true;
    if (done = target.file->open(); !done) break_down(target, "rotate", done.error());
    return true;  // what was synced is stored, whatever became of the next file
}

void JsonlSink::settle(ClassFile& target, bool is_stored) {
    if (is_stored) {
        ledger_.store(target.records);
    } else {
        const std::string_view words = words_for(trouble_.load(std::memory_order_relaxed));
        ledger_.withdraw(
            target.records, {Settlement::retry_later, WithdrawalReason::write_failed, words, 1}
        );
    }
    target.records.clear();
}

void JsonlSink::break_down(ClassFile& target, std::string_view kind, const Error& error) {
    target.file->set_aside();
    target.is_broken = true;
    next_repair_ = clock_.steady() + retry_interval;
    const bool is_full = error.code == ErrorCode::unavailable;
    const Trouble trouble = is_full ? Trouble::no_space : Trouble::cannot_write;
    trouble_.store(trouble, std::memory_order_relaxed);
    metrics_
        .counter(
            "spangate_jsonl_faults_total",
            "Faults of the JSONL files.",
            {{"kind", is_full ? "no_space" : kind}}
        )
        .add();
    health_.set_not_ready(room, words_for(trouble));
    if (log_limit_.allows()) log_error("deliver", "{}", error.message);
}

void JsonlSink::repair_when_due() {
    if (trouble_.load(std::memory_order_relaxed) == Trouble::none) return;
    if (clock_.steady() < next_repair_) return;
    bool is_whole = true;
    for (ClassFile& target : files_) {
        if (!target.is_broken) continue;
        if (Status opened = target.file->open(); !opened) {
            break_down(target, "open", opened.error());
            is_whole = false;
            continue;
        }
        target.is_broken = false;
    }
    if (!is_whole) return;
    trouble_.store(Trouble::none, std::memory_order_relaxed);
    health_.set_ready(room);
    log_info("deliver", "the JSONL files take records again");
}

std::string_view JsonlSink::words_for(Trouble trouble) {
    switch (trouble) {
        case Trouble::none:
            return {};
        case Trouble::no_space:
            return "no space is left for the JSONL files";
        case Trouble::cannot_write:
            return "the JSONL files cannot be written";
    }
    return {};
}

}  // namespace spangate
