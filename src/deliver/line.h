// One class's way to Kafka: its topics, its producer, its log in the spool, its state. So a class
// without topic, rights or leader is alone with that.
//
// clang-format off
//   state      a record goes      the line's thread                            leaves to
//   direct     to the producer    settles reports, watches the oldest open     collecting, refusing
//   collecting to the queue       takes back what is open, gathers all reports any other
//   splitting  to the queue       sent the gathered one by one; whoever is     direct, collecting
//                                 refused now is dead-lettered
//   spooling   to the queue       queue to log, fsync, settle; asks Kafka      draining
//   draining   to the queue       the same, and log to producer to cursor      direct, collecting
//   refusing   back to its client asks Kafka                                   direct, collecting
// clang-format on
//
// With a log a line begins in spooling and never refuses but when the log cannot take more; without
// one it begins in refusing, and spooling and draining do not exist.
//
// Order: what a lane brings keeps the order of its session, because a session's records come under
// its stripe's lock. Nothing younger overtakes: before anything is sent or written after a fault,
// every open record's report is gathered (librdkafka reports the newest first when it is purged,
// and what it reports as taken back may be in Kafka's log all the same), the gathered are sorted by
// delivery_no, and go first. That brokers store nothing that was in flight behind a refused batch is
// the producer's promise (first_batch_gate.h), and that a replaced one does no harm while it ends is
// shown in producer_endings.h. Records of the log stand before those that were sent directly, because
// direct begins only when the log has been handed over whole, to the same producer.
//
// There is neither thread nor timer in here: the owner's thread calls step() all the time, with the
// clock and the producers it was given; a simulation drives it the same way. send(), refusal(),
// rotate() and begin_stop() may be called from any thread.
#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "base/clock.h"
#include "base/slab.h"
#include "deliver/circuit.h"
#include "deliver/dead_letter_desk.h"
#include "deliver/delivery_error.h"
#include "deliver/lane_gate.h"
#include "deliver/line_ledger.h"
#include "deliver/line_numbers.h"
#include "deliver/line_topics.h"
#include "deliver/open_ring.h"
#include "deliver/producer.h"
#include "deliver/producer_endings.h"
#include "model/record.h"
#include "model/record_limits.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "spool/spool_log.h"

namespace spangate {

enum class LineState : std::uint8_t {
    direct,
    collecting,
    spooling,
    draining,
    splitting,
    refusing,
};

inline constexpr std::array<std::string_view, 6> line_state_names = {
    "direct", "collecting", "spooling", "draining", "splitting", "refusing"};

[[nodiscard]] constexpr std::string_view name_of(LineState state) {
    return line_state_names[static_cast<std::size_t>(state)];
}

struct LineSettings {
    SpoolLine line = SpoolLine::operational;
    bool is_required = true;         // the sink's tickets are settled here
    bool is_always_spooled = false;  // ack: spool; needs a log
    bool opens_late = false;         // no producer before the first record (dead letters)
    Millis ack_timeout{5'000};
    std::uint64_t headroom_bytes = 1024 * 1024;  // in the log; below it new requests are refused
    std::uint64_t window_bytes_max = 8ULL * 1024 * 1024;  // read from the log and open at Kafka
};

// All but what is owned outlives the line.
struct LineParts {
    LineTopics topics;
    std::unique_ptr<ProducerSource> source;
    std::unique_ptr<SpoolLog> log;           // null: no spool
    const SpoolSpace* space = nullptr;       // of the log
    DeadLetterDesk* desk = nullptr;          // null: what is refused for good is withdrawn
    WithdrawalListener* listener = nullptr;  // null: nobody hears of numbers that were not stored
    RecordLimits* record_limits = nullptr;   // told what the topics take, if anybody wants to know
    ProducerEndings* endings = nullptr;      // null: replaced producers end on the line's thread
    SlabPool& slabs;
    const Clock& clock;
    Metrics& metrics;
};

class Line final : private ProducerEvents {
  public:
    static constexpr std::uint32_t rebuilds_max = 3;       // in a row, without an acknowledgement
    static constexpr std::size_t pending_max = 1'000'000;  // in the queue; admission leases less
    static constexpr std::size_t window_records_max = 20'000;
    static constexpr std::size_t letters_max = 1'000;  // dead letters under way at a time

    Line(const LineSettings& settings, LineParts parts);
    ~Line() override;
    Line(const Line&) = delete;
    Line& operator=(const Line&) = delete;

    // Opens the producer. Fails with the setting that it refuses.
    [[nodiscard]] Status open();

    // Takes every record; each is settled once, later or before this returns. Never waits. Calls
    // for one session do not overlap.
    void send(std::span<OutboundRecord* const> records);

    // Why new work should be refused now (empty: it should not), and when to come back.
    [[nodiscard]] RecordSink::Refusal refusal() const;

    // Goes over to producers of `source` without loss or reorder, at the next step.
    void rotate(std::unique_ptr<ProducerSource> source);

    // No send() from here on. Lets what is inside reach Kafka while it moves; what is left shortly
    // before `deadline` goes to the log, or back to its clients without one.
    void begin_stop(SteadyTime deadline);

    // What is due, waiting up to `wait` when there is nothing. One thread.
    void step(Millis wait);

    // Every record is settled and the producer was handed to its end; step() does nothing any more.
    [[nodiscard]] bool is_stopped() const { return is_stopped_.load(std::memory_order_acquire); }

    // Ends a step() that waits; from any thread.
    void wake();

    [[nodiscard]] LineState state() const { return state_.load(std::memory_order_relaxed); }

    [[nodiscard]] const LineLedger& ledger() const { return ledger_; }

    [[nodiscard]] const LineTopics& topics() const { return topics_; }

    // The producer now at work, for fault drills; null between two. Only under `use`, from any
    // thread.
    template <typename Use>
    void with_producer(const Use& use) {
        const auto lane = gate_.enter();
        if (producer_ != nullptr) use(*producer_);
    }

  private:
    // How long a new batch size waits for what the topics take.
    static constexpr Millis limit_wait{1'000};

    enum class LanePath : std::uint8_t { produce, queue, refuse, closed };

    // What the reports of one fault say together.
    struct Fault {
        bool asks_to_wait = false;   // others would meet the same: ask Kafka before going on
        bool asks_to_split = false;  // one record of a batch may be to blame
        bool is_broken = false;      // a new producer will do
        bool is_flooded = false;     // the queue is full: what is open may come home by itself
        std::string reason;          // for people; empty: Kafka is silent

        [[nodiscard]] bool any() const { return asks_to_wait || asks_to_split || is_broken; }
    };

    // A record that can never be delivered, until its dead letter is stored.
    struct Letter {
        WithdrawalReason reason = WithdrawalReason::refused;
        bool is_under_way = false;
        SteadyTime next_try{};
    };

    // line.cc: lanes
    void take(OutboundRecord& record);
    void offer(OutboundRecord& record);
    void take_refused(OutboundRecord& record, int code);
    void queue(OutboundRecord& record);
    void withdraw_one(OutboundRecord& record, const Withdrawal& withdrawal);
    void refuse_all(std::span<OutboundRecord* const> records);
    [[nodiscard]] Withdrawal withdrawal_of(const DeliveryError& error) const;
    void nudge();

    // line_states.cc: one function for each state and each transition
    void run_direct(Millis wait);
    void run_collecting(Millis wait);
    void run_splitting(Millis wait);
    void run_spooling(Millis wait);
    void run_draining(Millis wait);
    void run_refusing(Millis wait);
    void go_direct(std::vector<OutboundRecord*> first);
    void collect();
    void collect_gently();
    void end_collecting(Millis wait);
    void resend(std::vector<OutboundRecord*> gathered, bool is_after_break, Millis wait);
    void go_splitting(std::vector<OutboundRecord*> gathered, Millis wait);
    void go_spooling(std::vector<OutboundRecord*> gathered, const Fault& fault);
    void go_draining();
    [[nodiscard]] bool may_go_direct() const;
    void refuse(std::string_view reason);
    void enter(LineState state);
    void set_path(LanePath path);

    // line_reports.cc: what the producer tells, and what nobody will ever take
    void reported(std::span<const DeliveryReport> reports) override;
    void broke(std::string_view what) override;
    void probed(const ProbeAnswer& answer) override;
    void sort_out(OutboundRecord& record, int code);
    void finish_drained();
    void report_failed(OutboundRecord& record, int code);
    void give_back(OutboundRecord& record, const DeliveryError& error, int code);
    [[nodiscard]] std::string reason_of(
        const DeliveryError& error, const OutboundRecord& record, int code
    ) const;
    void note(const DeliveryError& error, std::string reason);
    void note_diverted();
    void learn_limit(std::uint64_t bytes);
    void open_circuit(std::string_view reason);
    void bury_refused();
    void bury(OutboundRecord& record, WithdrawalReason reason);
    void send_letter(OutboundRecord& record, Letter& letter);
    void settle_letters();
    void settle_lost(OutboundRecord& record, WithdrawalReason reason, bool has_letter);
    void give_up_letters();
    [[nodiscard]] std::string_view burial_text(WithdrawalReason reason) const;

    // line_spool.cc: the log
    void spool_round();
    [[nodiscard]] Status append(std::span<OutboundRecord* const>& left);
    void spool_refuses(std::span<OutboundRecord* const> records, const Error& error);
    void fill_window();
    [[nodiscard]] OutboundRecord* read_one();
    [[nodiscard]] OutboundRecord* restore(const SpoolEntry& entry);
    [[nodiscard]] bool lend(OutboundRecord& record);
    void rewind();
    [[nodiscard]] bool has_window_room() const;
    [[nodiscard]] bool has_tried_alone() const;
    [[nodiscard]] bool is_read_through() const;

    // line_producer.cc: the handle, the clock, the end
    [[nodiscard]] Status open_producer(bool is_one_by_one);
    [[nodiscard]] bool open_producer_if_due();
    [[nodiscard]] bool suit_batches_to_topics();
    [[nodiscard]] EndingProducer take_producer();
    void end(EndingProducer ending);
    void serve(Millis wait);
    void pause(Millis wait);
    void ask_if_due();
    [[nodiscard]] bool is_waiting_for_first();
    [[nodiscard]] bool is_stalled() const;
    [[nodiscard]] std::vector<OutboundRecord*> take_gathered();
    [[nodiscard]] std::vector<OutboundRecord*> take_pending();
    [[nodiscard]] bool has_rotation() const;
    void take_rotation();
    void tell_gauges();
    void tell_drain(SteadyTime now);
    void look_into_log();
    void watch_stop();
    [[nodiscard]] bool has_nothing_to_wait_for();
    [[nodiscard]] bool has_run_out_of_time() const;
    void close(std::vector<OutboundRecord*> gathered, EndingProducer ending);

    const LineSettings settings_;
    const LineTopics topics_;
    const std::string name_;  // the label of its metrics
    const Millis stall_limit_;
    std::shared_ptr<ProducerSource> source_;  // with its producers, until the last has ended
    const std::unique_ptr<SpoolLog> log_;
    const SpoolSpace* const space_;
    DeadLetterDesk* const desk_;
    RecordLimits* const record_limits_;
    ProducerEndings* const endings_;
    const Clock& clock_;
    LineLedger ledger_;
    Circuit circuit_;
    const std::string too_large_;

    LineNumbers numbers_;

    // Lanes, and the line's thread.
    LaneGate gate_;
    LanePath path_ = LanePath::queue;     // changes with the gate closed
    std::unique_ptr<Producer> producer_;  // replaced with the gate closed
    std::atomic<LineState> state_;
    OpenRing open_;
    std::atomic<std::uint64_t> next_delivery_no_{1};
    // A refused record is in the queue, so all that follow go there: the sender's stripe lock
    // publishes it to whoever brings the next record of that session.
    std::atomic<bool> is_diverted_{false};
    std::atomic<int> diverted_code_{0};

    std::mutex pending_mutex_;
    std::condition_variable pending_came_;  // for the thread while there is no producer
    std::vector<OutboundRecord*> pending_;
    std::vector<std::pair<OutboundRecord*, WithdrawalReason>> refused_;  // for good, by produce()
    bool is_woken_ = false;
    bool has_met_record_ = false;  // since open(), even if it was refused

    // Refusals, as the line's thread last knew. Relaxed: each stands for itself.
    std::atomic<SteadyTime> disk_refuses_until_{SteadyTime{}};
    std::atomic<bool> disk_is_broken_{false};
    std::atomic<std::uint32_t> retry_after_s_{5};

    std::atomic<bool> is_stopping_{false};
    std::atomic<bool> is_stopped_{false};
    std::atomic<SteadyTime> stop_deadline_{SteadyTime{}};
    std::atomic<SteadyTime> close_at_{SteadyTime{}};

    std::mutex rotation_mutex_;
    std::unique_ptr<ProducerSource> next_source_;  // guarded by rotation_mutex_
    std::atomic<bool> has_next_source_{false};

    // The line's thread only.
    SlabWriter slab_writer_;
    LogLimit log_limit_;
    Fault fault_;
    std::vector<OutboundRecord*> collected_;
    std::vector<OutboundRecord*> stored_;    // scratch
    std::vector<OutboundRecord*> drained_;   // scratch
    std::vector<OutboundRecord*> appended_;  // scratch
    std::vector<OutboundRecord*> unsaved_;   // gathered; first into the log
    bool is_purged_ = false;                 // collecting: what is open has been taken back
    bool is_closing_ = false;                // collecting for the last time
    bool has_asked_last_ = false;            // stopping: a probe failed since
    bool is_limit_asked_ = false;            // of a producer that now splits
    SteadyTime split_since_{};
    bool is_one_by_one_ = false;         // the producer's batches hold one record
    std::uint64_t one_by_one_left_ = 0;  // records of the log still to be tried alone
    std::uint64_t released_ = 0;         // of the window, since the fault
    OutboundRecord* next_ = nullptr;     // read from the log, the producer's queue was full
    std::uint64_t window_records_ = 0;
    std::uint64_t window_bytes_ = 0;
    std::uint64_t record_bytes_max_ = 0;  // what the topics take; 0: not known
    std::uint64_t batch_bytes_max_ = 0;   // of the producer; 0: the client's default
    std::uint32_t rebuilds_without_ack_ = 0;
    SteadyTime next_open_{};  // of a producer, after a failure
    SteadyTime stall_not_before_{};
    SteadyTime last_progress_{};
    SteadyTime next_tell_{};
    SteadyTime drain_since_{};  // the drain's rate is measured from here
    std::uint64_t drained_bytes_ = 0;
    std::int64_t oldest_timestamp_ms_ = 0;  // of a record in the log; 0: not known

    std::shared_ptr<LetterBox> letter_box_ = std::make_shared<LetterBox>();
    std::unordered_map<OutboundRecord*, Letter> letters_;
    std::unordered_set<std::uint64_t> buried_entries_;  // of the log, with a letter under way
};

}  // namespace spangate
