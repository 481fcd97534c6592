#include "contract/record_sink_contract.h"

#include <catch2/catch.hpp>

#include "support/fake_sink.h"
#include "support/kafka_context.h"

using namespace spangate;           // NOLINT: a test
using namespace spangate::testing;  // NOLINT: a test

namespace {

class FakeUnderContract final : public SinkUnderContract {
  public:
    RecordSink& sink() override { return sink_; }

    std::map<std::string, std::vector<std::string>> stored(std::size_t /*count*/) override {
        std::map<std::string, std::vector<std::string>> bodies;
        for (const SentRecord& record : sink_.sent())
            bodies[record.session].push_back(body_of(record.value));
        return bodies;
    }

  private:
    Metrics metrics_;
    GapBook gaps_{metrics_};
    FakeSink sink_{metrics_, gaps_};
};

class KafkaUnderContract final : public SinkUnderContract {
  public:
    KafkaUnderContract() { kafka_.open_ready(); }

    RecordSink& sink() override { return *kafka_.sink; }

    std::map<std::string, std::vector<std::string>> stored(std::size_t count) override {
        std::map<std::string, std::vector<std::string>> bodies;
        for (const ReadRecord& record : kafka_.read(count))
            bodies[record.key].push_back(body_of(record.value));
        return bodies;
    }

  private:
    KafkaContext kafka_;
};

}  // namespace

TEST_CASE("the fake sink keeps the contract") {
    check_record_sink([](SlabPool&) { return std::make_unique<FakeUnderContract>(); });
}

TEST_CASE("the Kafka sink keeps the contract", "[mock]") {
    check_record_sink([](SlabPool&) { return std::make_unique<KafkaUnderContract>(); });
}
