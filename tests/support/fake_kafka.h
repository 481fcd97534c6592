// A Kafka that a test breaks at will, and the producers that talk to it. One thread.
//
// It keeps the habits of librdkafka that matter: what is purged is reported newest first, and may
// stand in the log all the same; a batch is refused whole; after a record that failed for good the
// handle is of no use and sends nothing of what is behind.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <librdkafka/rdkafka.h>

#include "deliver/producer.h"

namespace spangate::testing {

struct KeptRecord {
    std::string key;
    std::string value;
    std::uint64_t seq = 0;
    std::string event_id;
    std::int64_t timestamp_ms = 0;
};

struct FakeKafka {
    bool is_down = false;              // keeps what it is given, and says nothing
    std::size_t persisted_early = 0;   // records that are in the log before their report is lost
    std::set<std::string> stuck_keys;  // of a partition without a leader
    std::size_t batch_records = 10;
    std::size_t queue_max = 100'000;         // a producer's
    std::size_t client_bytes_max = 1 << 30;  // of a record
    std::uint64_t record_bytes_max = 0;      // what a probe tells
    std::string wrong_topic;                 // a probe finds fault with it
    bool opens = true;
    // The code with which the broker refuses a batch that holds such a record.
    std::function<int(const KeptRecord&)> refuses;

    std::vector<KeptRecord> log;
    std::size_t opened = 0;
    std::size_t alive = 0;
    ProducerWish last_wish;
    std::size_t produced = 0;

    // Session → its numbers as they first appear.
    [[nodiscard]] std::vector<std::uint64_t> first_appearances(const std::string& key) const {
        std::vector<std::uint64_t> seqs;
        std::set<std::uint64_t> seen;
        for (const KeptRecord& record : log) {
            if (record.key == key && seen.insert(record.seq).second) seqs.push_back(record.seq);
        }
        return seqs;
    }
};

class FakeProducer final : public Producer {
  public:
    FakeProducer(FakeKafka& kafka, ProducerWish wish) : kafka_(kafka), wish_(wish) {
        ++kafka_.alive;
    }

    ~FakeProducer() override { --kafka_.alive; }

    int produce(OutboundRecord& record, std::uint32_t /*topic*/) override {
        if (is_broken_) return RD_KAFKA_RESP_ERR__FATAL;
        if (open_.size() >= kafka_.queue_max) return RD_KAFKA_RESP_ERR__QUEUE_FULL;
        if (record.value_bytes > kafka_.client_bytes_max) {
            return RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE;
        }
        ++kafka_.produced;
        open_.push_back(&record);
        return 0;
    }

    void serve(Millis /*wait*/, ProducerEvents& events) override {
        if (has_probe_ && !kafka_.is_down) answer_probe(events);
        if (has_probe_ && kafka_.is_down) {
            has_probe_ = false;
            events.probed({fail(ErrorCode::unavailable, "nobody answers"), 0});
        }
        if (is_purged_) report_purged(events);
        if (!kafka_.is_down && !is_broken_) deliver(events);
        if (is_broken_ && !is_told_) {
            is_told_ = true;
            events.broke("fake fatal error");
        }
    }

    void purge() override { is_purged_ = true; }

    void probe(Millis /*timeout*/) override { has_probe_ = true; }

    void wake() override { ++wakes; }

    void break_down() { is_broken_ = true; }

    int wakes = 0;

  private:
    static KeptRecord kept(const OutboundRecord& record) {
        return {
            std::string(record.key),
            std::string(record.value_view()),
            record.gateway_seq,
            std::string(view(record.event_id)),
            record.timestamp_ms};
    }

    void answer_probe(ProducerEvents& events) {
        has_probe_ = false;
        if (!kafka_.wrong_topic.empty()) {
            events.probed({fail(ErrorCode::not_found, "no topic " + kafka_.wrong_topic), 0});
        } else {
            events.probed({{}, kafka_.record_bytes_max});
        }
    }

    void report_purged(ProducerEvents& events) {
        std::vector<DeliveryReport> reports;
        const std::size_t early = std::min(kafka_.persisted_early, open_.size());
        for (std::size_t i = 0; i < early; ++i)
            kafka_.log.push_back(kept(*open_[i]));
        for (std::size_t i = open_.size(); i > 0; --i) {
            reports.push_back(
                {open_[i - 1],
                 i <= early ? RD_KAFKA_RESP_ERR__PURGE_INFLIGHT : RD_KAFKA_RESP_ERR__PURGE_QUEUE}
            );
        }
        open_.clear();
        is_purged_ = false;
        if (!reports.empty()) events.reported(reports);
    }

    void deliver(ProducerEvents& events) {
        std::vector<OutboundRecord*> stuck;
        std::vector<DeliveryReport> reports;
        while (!open_.empty() && !is_broken_) {
            std::vector<OutboundRecord*> batch;
            const std::size_t most = wish_.is_one_by_one ? 1 : kafka_.batch_records;
            while (!open_.empty() && batch.size() < most) {
                auto& list =
                    kafka_.stuck_keys.contains(std::string(open_.front()->key)) ? stuck : batch;
                list.push_back(open_.front());
                open_.pop_front();
            }
            settle(batch, reports);
        }
        open_.insert(open_.begin(), stuck.begin(), stuck.end());
        if (!reports.empty()) events.reported(reports);
    }

    void settle(const std::vector<OutboundRecord*>& batch, std::vector<DeliveryReport>& reports) {
        int code = 0;
        for (const OutboundRecord* record : batch) {
            if (kafka_.refuses && code == 0) code = kafka_.refuses(kept(*record));
        }
        for (OutboundRecord* record : batch) {
            if (code == 0) kafka_.log.push_back(kept(*record));
            reports.push_back({record, code});
        }
        if (code != 0) is_broken_ = true;  // gapless
    }

    FakeKafka& kafka_;
    const ProducerWish wish_;
    std::deque<OutboundRecord*> open_;
    bool is_purged_ = false;
    bool is_broken_ = false;
    bool is_told_ = false;
    bool has_probe_ = false;
};

class FakeSource final : public ProducerSource {
  public:
    explicit FakeSource(FakeKafka& kafka) : kafka_(kafka) {}

    Result<std::unique_ptr<Producer>> open(const ProducerWish& wish) override {
        if (!kafka_.opens) return fail(ErrorCode::invalid_argument, "a refused setting");
        if (kafka_.alive > 0) return fail(ErrorCode::internal, "two handles at a time");
        ++kafka_.opened;
        kafka_.last_wish = wish;
        return std::unique_ptr<Producer>(std::make_unique<FakeProducer>(kafka_, wish));
    }

  private:
    FakeKafka& kafka_;
};

}  // namespace spangate::testing
