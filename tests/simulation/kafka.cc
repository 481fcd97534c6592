#include "simulation/kafka.h"

#include <algorithm>

namespace spangate::simulation {

class SimulatedSource final : public ProducerSource {
  public:
    SimulatedSource(Kafka& kafka, std::uint32_t line) : kafka_(kafka), line_(line) {}

    Result<std::unique_ptr<Producer>> open(const ProducerWish& wish) override {
        kafka_.lanes_();
        if (kafka_.opens_to_fail_ > 0) {
            --kafka_.opens_to_fail_;
            return fail(ErrorCode::io, "the simulation makes no producer");
        }
        return std::make_unique<SimulatedProducer>(kafka_, line_, wish);
    }

  private:
    Kafka& kafka_;
    const std::uint32_t line_;
};

std::unique_ptr<ProducerSource> Kafka::make_source(std::uint32_t line) {
    return std::make_unique<SimulatedSource>(*this, line);
}

void Kafka::move(bool is_eager) {
    move_stragglers();
    for (SimulatedProducer* producer : producers_)
        producer->move(is_eager);
}

void Kafka::append(std::uint32_t line, std::uint32_t partition, std::uint32_t copy) {
    (void)line;
    book_.appended(book_.at(copy), partition);
}

void Kafka::move_stragglers() {
    std::erase_if(stragglers_, [this](const Straggler& straggler) {
        const Topic& topic = topics[straggler.line];
        const bool may_arrive = is_reachable && has_replicas && topic.exists &&
                                topic.refusal == 0 && topic.has_leader[straggler.partition];
        if (!may_arrive || dice_.chance(60)) return false;
        if (dice_.chance(20)) return true;  // it never came
        trace_.note("      what a former producer had sent comes late");
        for (const std::uint32_t copy : straggler.copies) {
            const Copy& told = book_.at(copy);
            if (told.is_invalid || told.bytes.size() > topic.batch_bytes_max) return true;
            append(straggler.line, straggler.partition, copy);
        }
        return true;
    });
}

void Kafka::cut_off() {
    dead_processes_ = process_ + 1;
    for (SimulatedProducer* producer : producers_)
        producer->purge();
}

void Kafka::break_one() {
    if (producers_.empty()) return;
    const auto chosen = dice_.below(static_cast<std::uint32_t>(producers_.size()));
    producers_[chosen]->become_fatal("an out of order sequence number");
}

void Kafka::heal() {
    for (Topic& topic : topics)
        topic = Topic();
    is_reachable = true;
    has_replicas = true;
    opens_to_fail_ = 0;
}

}  // namespace spangate::simulation
