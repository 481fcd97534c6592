#include "deliver/producer_endings.h"

#include <atomic>

#include <catch2/catch.hpp>

#include "support/eventually.h"

using namespace spangate;              // NOLINT: a test
using namespace spangate::testing;     // NOLINT: a test
using namespace std::chrono_literals;  // NOLINT: a test

namespace {

// Handles that end when the test lets them.
struct Slow final : ProducerSource {
    struct Handle final : Producer {
        explicit Handle(Slow& owner) : slow(owner) {}

        ~Handle() override {
            ++slow.begun;
            while (!slow.may_end)
                std::this_thread::yield();
            ++slow.ended;
        }

        int produce(OutboundRecord& /*record*/, std::uint32_t /*topic*/) override { return 0; }

        void serve(Millis /*wait*/, ProducerEvents& /*events*/) override {}

        void purge() override {}

        void probe(Millis /*timeout*/) override {}

        void wake() override {}

        Slow& slow;
    };

    Result<std::unique_ptr<Producer>> open(const ProducerWish& /*wish*/) override {
        return std::make_unique<Handle>(*this);
    }

    [[nodiscard]] static EndingProducer make(const std::shared_ptr<Slow>& slow) {
        return {slow, std::move(*slow->open({}))};
    }

    std::atomic<bool> may_end{false};
    std::atomic<std::size_t> begun{0};
    std::atomic<std::size_t> ended{0};
};

}  // namespace

TEST_CASE("who hands a producer over does not wait for its end, the owner of the place does") {
    const auto slow = std::make_shared<Slow>();
    {
        ProducerEndings endings;
        for (int i = 0; i < 3; ++i)
            endings.take(Slow::make(slow));
        endings.take({slow, nullptr});
        CHECK(slow->ended == 0);
        slow->may_end = true;
    }
    CHECK(slow->ended == 3);
}

TEST_CASE("a source lives until its last producer has ended") {
    auto slow = std::make_shared<Slow>();
    const std::weak_ptr<Slow> watched = slow;
    ProducerEndings endings;
    endings.take(Slow::make(slow));
    Slow& raw = *std::exchange(slow, nullptr);
    CHECK_FALSE(watched.expired());
    raw.may_end = true;
    CHECK(eventually([&] { return watched.expired(); }));
}

TEST_CASE("when too many wait for their end, the next ends where it is handed over") {
    const auto slow = std::make_shared<Slow>();
    const auto quick = std::make_shared<Slow>();
    quick->may_end = true;
    ProducerEndings endings;
    endings.take(Slow::make(slow));
    REQUIRE(eventually([&] { return slow->begun == 1; }));
    for (std::size_t i = 0; i < ProducerEndings::waiting_max; ++i)
        endings.take(Slow::make(slow));
    endings.take(Slow::make(quick));
    CHECK(quick->ended == 1);
    slow->may_end = true;
}
