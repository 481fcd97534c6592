// The part of the Kafka sink that learns what its topics take; on the sink's thread, before the
// circuit closes, so that nothing is cut by a guess once records flow.
#include <algorithm>

#include "deliver/kafka_sink.h"
#include "deliver/topic_limits.h"

namespace spangate {
namespace {

constexpr Millis limits_timeout{1'000};

}  // namespace

// What cannot be learnt leaves the configuration's bound alone, which suits Kafka's default.
void KafkaSink::learn_record_limits() {
    if (record_limits_ == nullptr) return;
    std::vector<std::string> topics;
    for (std::uint32_t i = 0; i < context_.topics.names().size(); ++i) {
        const bool is_evidence = context_.topics.class_of(i) == EventClass::evidence;
        if (is_evidence && i != context_.topics.evidence_keys()) {
            topics.push_back(context_.topics.names()[i]);
        }
    }
    const Result<std::uint64_t> bytes =
        read_record_bytes_max(producer_->handle(), topics, limits_timeout);
    if (!bytes) {
        if (context_.log_limit.allows()) {
            log_info("deliver", "{}: evidence is cut as configured", bytes.error().message);
        }
        return;
    }
    // Our own client takes no larger records, whatever the brokers would take.
    record_limits_->evidence_bytes.store(
        std::min<std::uint64_t>(*bytes, record_bytes_max), std::memory_order_relaxed
    );
}

}  // namespace spangate
