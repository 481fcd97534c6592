// What a reload changes of a running Kafka sink's refusals (AdmissionRules).
#include <atomic>
#include <thread>

#include <catch2/catch.hpp>

#include "deliver/delivery.h"
#include "support/kafka_context.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

namespace {

constexpr AdmissionRules without_detail{{true, false, true}, 0};

struct Waiting {
    TicketAndAnswer of = make_ticket();

    void send(KafkaContext& kafka, RecordBuilder& builder, EventClass event_class) const {
        kafka.send({builder.event_class(event_class).make("s1", "x", of.ticket)});
        of.ticket->settle(Settlement::stored);
    }

    [[nodiscard]] bool has_answer() const { return of.answer->answers() == 1; }
};

}  // namespace

TEST_CASE("a class that is no longer required stops refusing, and refuses again", "[mock]") {
    KafkaConfig config;
    config.topics.detail = "not.there";
    KafkaContext kafka(10s, config);
    kafka.open();
    const auto is_refusing = [&] {
        return kafka.sink->refusal().reason.find("not.there") != std::string_view::npos;
    };
    REQUIRE(eventually([&] { return is_refusing() && kafka.health.not_ready().contains("kafka"); })
    );
    kafka.sink->admit_by(without_detail);
    CHECK(eventually([&] { return kafka.sink->refusal().reason.empty(); }));
    CHECK(eventually([&] { return kafka.health.not_ready().empty(); }));
    kafka.sink->admit_by({});
    CHECK(is_refusing());
    CHECK(eventually([&] { return kafka.health.not_ready().contains("kafka"); }));
}

TEST_CASE(
    "what was admitted while its class was required is answered by what became of it", "[mock]"
) {
    KafkaContext kafka(2s);
    kafka.open_ready();
    kafka.set_down();
    const Waiting admitted;
    admitted.send(kafka, kafka.builder, EventClass::detail);
    kafka.sink->admit_by(without_detail);
    CHECK_FALSE(admitted.has_answer());
    const bool comes_back = GENERATE(true, false);
    if (comes_back) kafka.set_up();
    REQUIRE(eventually([&] { return admitted.has_answer(); }));
    CHECK(admitted.of.answer->outcome.is_success == comes_back);
}

TEST_CASE("rules that change under load refuse, lose and repeat nothing", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    Delivery delivery({}, {kafka.sink.get()}, kafka.gaps, nullptr, kafka.clock, kafka.metrics);
    const auto [ticket, answer] = make_ticket();
    std::atomic<bool> is_done{false};
    std::atomic<int> refusals{0};
    std::thread lane([&, held = ticket] {
        RecordBuilder builder(kafka.pool);
        while (!is_done) {
            if (!delivery.refusal().reason.empty()) ++refusals;
            std::vector<OutboundRecord*> batch;
            for (const EventClass each : {EventClass::operational, EventClass::detail})
                batch.push_back(builder.event_class(each).make("s1", "x", held));
            batch.back()->starts_event = false;
            delivery.deliver({batch});
            std::this_thread::yield();
        }
    });
    for (int i = 0; i < 200; ++i) {
        kafka.sink->admit_by(without_detail.stricter({}));
        kafka.sink->admit_by(i % 2 == 0 ? without_detail : AdmissionRules{});
        std::this_thread::yield();
    }
    is_done = true;
    lane.join();
    const std::uint64_t events = kafka.count("spangate_deliver_events_total");
    ticket->settle(Settlement::stored);
    REQUIRE(eventually([&] { return answer->answers() == 1; }));
    CHECK(answer->outcome.is_success);
    CHECK(refusals == 0);
    for (const char* topic : {"agent.operational", "agent.detail"})
        CHECK(kafka.read(events, topic).size() == events);
}

TEST_CASE("the bound on bytes that nobody leased comes and goes with the rules", "[mock]") {
    KafkaContext kafka;
    kafka.open_ready();
    kafka.set_down();
    kafka.send({kafka.builder.padding(2'000).make("s1")});
    kafka.sink->admit_by({{true, true, false}, 1'000});
    CHECK(kafka.sink->refusal().reason.find("memory") != std::string_view::npos);
    kafka.sink->admit_by({});
    CHECK(kafka.sink->refusal().reason.empty());
}

TEST_CASE("the stricter of two rules refuses what either refuses") {
    const AdmissionRules both =
        AdmissionRules{{true, false, false}, 0}.stricter({{false, true, false}, 500});
    CHECK(both.is_class_required == std::array{true, true, false});
    CHECK(both.slab_bytes_max == 500);
    CHECK(AdmissionRules{{}, 700}.stricter({{}, 500}).slab_bytes_max == 500);
    CHECK(AdmissionRules{{}, 0}.stricter({{}, 0}).slab_bytes_max == 0);
}
