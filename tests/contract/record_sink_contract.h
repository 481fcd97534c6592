// What every RecordSink promises (model/record.h), as checks that a sink's own test file runs over
// its own way of making one:
//
//   TEST_CASE("the fake sink keeps the contract") { check_record_sink(make_fake_context); }
#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>

#include "base/slab.h"
#include "model/record.h"
#include "support/eventually.h"
#include "support/record_builder.h"

namespace spangate::testing {

// A required sink that works, and what it stored, read back in the order of each session.
class SinkUnderContract {
  public:
    virtual ~SinkUnderContract() = default;

    [[nodiscard]] virtual RecordSink& sink() = 0;

    // Session → the bodies of its stored operational records, in stored order; after drain().
    // `count`: how many there should be in all.
    [[nodiscard]] virtual std::map<std::string, std::vector<std::string>> stored(std::size_t count
    ) = 0;
};

// The sink holds records in this pool; it outlives the sink.
using MakeSink = std::function<std::unique_ptr<SinkUnderContract>(SlabPool& pool)>;

// The body that RecordBuilder put into a value.
[[nodiscard]] inline std::string body_of(const std::string& value) {
    const std::string mark = "\"body\":\"";
    const std::size_t from = value.find(mark) + mark.size();
    return value.substr(from, value.find('"', from) - from);
}

[[nodiscard]] inline SteadyTime soon() {
    return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

inline void check_settles_each_record_once(const MakeSink& make) {
    SlabPool pool;
    auto context = make(pool);
    RecordBuilder builder(pool);
    const auto [ticket, answer] = make_ticket();
    std::vector<OutboundRecord*> records;
    for (int i = 0; i < 300; ++i)
        records.push_back(builder.make("s" + std::to_string(i % 7), std::to_string(i), ticket));
    // An odd split, so that runs of one ticket are cut.
    context->sink().send(std::span(records).first(113));
    context->sink().send(std::span(records).subspan(113));
    builder.finish();
    ticket->settle(Settlement::stored);

    context->sink().drain(soon());

    CHECK(answer->answers() == 1);
    CHECK(answer->outcome.is_success);
    CHECK(pool.bytes_out() == 0);
    std::size_t count = 0;
    for (const auto& [session, bodies] : context->stored(300))
        count += bodies.size();
    CHECK(count == 300);
}

inline void check_keeps_the_order_of_each_session(const MakeSink& make) {
    SlabPool pool;
    auto context = make(pool);
    constexpr int lanes = 4;
    constexpr int each = 250;
    std::vector<std::thread> threads;
    for (int lane = 0; lane < lanes; ++lane) {
        threads.emplace_back([&context, &pool, lane] {
            RecordBuilder builder(pool);
            for (int i = 0; i < each; i += 5) {
                std::vector<OutboundRecord*> run;
                for (int n = i; n < i + 5; ++n)
                    run.push_back(builder.make("s" + std::to_string(lane), std::to_string(n)));
                context->sink().send(run);
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();

    context->sink().drain(soon());

    const auto stored = context->stored(lanes * each);
    CHECK(stored.size() == lanes);
    for (const auto& [session, bodies] : stored) {
        REQUIRE(bodies.size() == each);
        for (int i = 0; i < each; ++i)
            REQUIRE(bodies[static_cast<std::size_t>(i)] == std::to_string(i));
    }
    CHECK(pool.bytes_out() == 0);
}

inline void check_takes_records_without_a_ticket(const MakeSink& make) {
    SlabPool pool;
    auto context = make(pool);
    RecordBuilder builder(pool);
    std::vector<OutboundRecord*> records = {builder.make("s1", "a"), builder.make("s1", "b")};
    context->sink().send(records);
    builder.finish();
    context->sink().drain(soon());
    CHECK(pool.bytes_out() == 0);
    CHECK(context->stored(2).at("s1") == std::vector<std::string>{"a", "b"});
}

inline void check_drains_at_once_when_idle(const MakeSink& make) {
    SlabPool pool;
    auto context = make(pool);
    context->sink().drain(soon());
    context->sink().drain(soon());  // once more does no harm
    CHECK(pool.bytes_out() == 0);
}

inline void check_a_working_sink_refuses_nothing(const MakeSink& make) {
    SlabPool pool;
    auto context = make(pool);
    CHECK(context->sink().is_required());
    CHECK(context->sink().refusal().reason.empty());
}

inline void check_record_sink(const MakeSink& make) {
    SECTION("settles each record once") {
        check_settles_each_record_once(make);
    }
    SECTION("keeps the order of each session") {
        check_keeps_the_order_of_each_session(make);
    }
    SECTION("takes records without a ticket") {
        check_takes_records_without_a_ticket(make);
    }
    SECTION("drains at once when idle") {
        check_drains_at_once_when_idle(make);
    }
    SECTION("refuses nothing while it works") {
        check_a_working_sink_refuses_nothing(make);
    }
}

}  // namespace spangate::testing
