// Lets one record of each partition go ahead alone, until a broker has stored it for this handle.
//
// Why: a batch that comes behind a refused one is refused, too, because its sequence number does
// not follow; that is what keeps a session in order with five batches in flight. But a broker that
// has nothing of a producer id on a partition takes any number. If the first batch is refused, say
// because it is too large as a whole, the second is stored, and the first one's records, sent again
// one by one, come behind it. After the first acknowledgement that cannot happen any more.
//
//   produce() ─▶ is its partition proven? ─ yes ─▶ send
//                    └ no: is one ahead? ─ no ─▶ send, it is ahead
//                                         └ yes: held, in order, until the one ahead has its report
//
// One for each topic of a handle. The price: one hash of the key a record until every partition is
// proven, then one atomic load.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "deliver/producer.h"
#include "model/record.h"

namespace spangate {

class FirstBatchGate {
  public:
    // Gives a record to the client; 0 or an rd_kafka_resp_err_t.
    using Send = std::function<int(OutboundRecord&)>;

    explicit FirstBatchGate(Send send) : send_(std::move(send)) {}

    // As Producer::produce(); a record that is held counts as taken. From any thread.
    [[nodiscard]] int produce(OutboundRecord& record);

    // The partitioner was asked. From any thread, under the client's locks: never waits.
    void meet(std::int32_t partitions_count);

    // The rest from the line's thread. What is given up is added to `given_up`, as reports.

    // A record's report, before anybody else hears of it.
    void settle(const OutboundRecord& record, int code, std::vector<DeliveryReport>& given_up);

    // Before each round of events: what may go ahead now.
    void move_on(std::vector<DeliveryReport>& given_up);

    // Everything held is given up.
    void purge(std::vector<DeliveryReport>& given_up);

  private:
    // What lanes read without the lock. Made anew when partitions are added, kept to the end.
    struct Proofs {
        explicit Proofs(std::size_t count) : is_proven(count) {}

        std::vector<std::atomic<bool>> is_proven;
    };

    struct Partition {
        bool has_one_ahead = false;
        bool is_stored = false;  // the one ahead was; the held go, then it is proven
        int refusal = 0;         // of what comes before the line has heard of the one ahead
        std::vector<OutboundRecord*> held;
    };

    [[nodiscard]] bool is_proven(const OutboundRecord& record) const;

    // With the lock.
    [[nodiscard]] Partition& partition_of(const OutboundRecord& record);
    [[nodiscard]] int enter(Partition& partition, OutboundRecord& record);
    [[nodiscard]] int send_ahead(Partition& partition, OutboundRecord& record);
    void take_count();
    void place_early();
    void release(Partition& partition, std::vector<DeliveryReport>& given_up);
    void give_up(Partition& partition, int code, std::vector<DeliveryReport>& given_up);
    void prove(Partition& partition);

    const Send send_;
    std::atomic<std::int32_t> partitions_count_{0};  // 0: not known yet
    std::atomic<const Proofs*> proofs_{nullptr};     // release: publishes the table
    std::atomic<bool> are_all_proven_{false};        // release: what was held has been sent
    std::atomic<bool> has_work_{false};              // for move_on(); stands for itself

    std::mutex mutex_;  // guards the rest
    std::vector<std::unique_ptr<Proofs>> tables_;
    std::vector<Partition> partitions_;
    std::size_t proven_count_ = 0;
    // Before the number of partitions is known: the key of the one that went ahead, and the others.
    std::string early_key_;
    Partition early_;
};

}  // namespace spangate
