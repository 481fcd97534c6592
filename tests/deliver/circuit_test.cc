#include "deliver/circuit.h"

#include <catch2/catch.hpp>

#include "support/manual_clock.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

TEST_CASE("a new circuit is open and asks for a probe at once") {
    ManualClock clock;
    Circuit circuit(clock, "not reached yet");
    CHECK(circuit.is_open());
    CHECK(circuit.refusal().reason == "not reached yet");
    CHECK(circuit.probe_is_due());
    CHECK(circuit.probe_passed());
    CHECK(circuit.refusal().reason.empty());
}

TEST_CASE("an open circuit says how long Kafka has been silent and when to come back") {
    ManualClock clock;
    Circuit circuit(clock, "");
    REQUIRE(circuit.probe_passed());
    clock.advance(5s);
    CHECK(circuit.open(""));
    CHECK(circuit.refusal().reason == "Kafka has not acknowledged for 5 s");
    CHECK(circuit.refusal().retry_after_s == 1);
    clock.advance(10s);
    CHECK(circuit.refusal().reason == "Kafka has not acknowledged for 15 s");
    CHECK(circuit.refusal().retry_after_s == 5);
    clock.advance(1h);
    CHECK(circuit.refusal().reason == "Kafka has not acknowledged for 60 min");
    CHECK(circuit.refusal().retry_after_s == Circuit::retry_after_max_s);
}

TEST_CASE("probes come fast at the start and then once a second") {
    ManualClock clock;
    Circuit circuit(clock, "");
    circuit.probe_failed("");
    CHECK_FALSE(circuit.probe_is_due());
    clock.advance(100ms);
    CHECK(circuit.probe_is_due());
    for (int i = 0; i < 4; ++i)
        circuit.probe_failed("");
    clock.advance(999ms);
    CHECK_FALSE(circuit.probe_is_due());
    clock.advance(1ms);
    CHECK(circuit.probe_is_due());
}

TEST_CASE("a circuit that records open again stays open longer until one is acknowledged") {
    ManualClock clock;
    Circuit circuit(clock, "");
    REQUIRE(circuit.probe_passed());
    circuit.open("");
    clock.advance(1s);
    CHECK(circuit.probe_passed());  // the first time at once
    circuit.open("");
    clock.advance(500ms);
    CHECK_FALSE(circuit.probe_passed());
    clock.advance(500ms);
    CHECK(circuit.probe_passed());
    circuit.acknowledged();
    circuit.open("");
    CHECK(circuit.probe_passed());
}

TEST_CASE("a failed probe may give a better reason") {
    ManualClock clock;
    Circuit circuit(clock, "not reached yet");
    circuit.probe_failed("");
    CHECK(circuit.refusal().reason == "not reached yet");
    circuit.probe_failed("no topic x");
    CHECK(circuit.refusal().reason == "no topic x");
}

TEST_CASE("the reasons that are kept are bounded") {
    ManualClock clock;
    Circuit circuit(clock, "");
    for (int i = 0; i < 1'000; ++i)
        circuit.open("reason " + std::to_string(i));
    CHECK(circuit.refusal().reason.starts_with("reason "));
}
