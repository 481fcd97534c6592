// A ledger and the events that go into it, made by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "report/session_ledger.h"
#include "timeline/story_event.h"

namespace spangate {

// 2026-09-21T10:15:00Z.
inline constexpr WallNanos ledger_begin = 1'789'985'700'000'000'000;

class LedgerContext {
  public:
    explicit LedgerContext(
        SessionLedgerLimits limits = {}, SessionOrder order = SessionOrder::worst
    )
        : ledger(guard, order, limits) {}

    // An event of its own span, numbered by the gateway in the order of making.
    StoryEvent event(
        EventType type, std::string_view session = "s-1", std::string_view agent = "a"
    ) {
        StoryEvent made;
        const std::uint64_t number = ++made_;
        for (std::size_t i = 0; i < 8; ++i) {
            made.id[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
            made.span_id[7 - i] = made.id[15 - i];
        }
        made.id[0] = 1;
        made.trace_id[15] = 1;
        made.type = type;
        made.tenant_id = texts.intern("default");
        made.session_id = texts.intern(session);
        made.gateway_id = texts.intern("gw-1");
        made.agent_name = texts.intern(agent);
        made.gateway_epoch = 1;
        made.timestamp = ledger_begin + static_cast<WallNanos>(number) * 1'000'000'000;
        made.received_at = made.timestamp;
        return made;
    }

    StoryEvent inference(double cost_usd, std::string_view session = "s-1") {
        StoryEvent made = event(EventType::inference, session);
        made.model = texts.intern("gpt-4.1");
        made.counted = Told::yes;
        made.cost_usd = cost_usd;
        made.tokens_prompt = 100;
        made.tokens_completion = 20;
        made.duration_ms = 500;
        made.outcome = EventOutcome::ok;
        return made;
    }

    StoryEvent tool(std::string_view name, EventOutcome outcome, std::string_view session = "s-1") {
        StoryEvent made = event(EventType::tool_response, session);
        made.tool_name = texts.intern(name);
        made.outcome = outcome;
        made.duration_ms = 200;
        return made;
    }

    // What stands in the same span as `primary`.
    StoryEvent beside(const StoryEvent& primary, EventType type) {
        StoryEvent made = event(type, texts[primary.session_id]);
        made.primary_id = primary.id;
        made.span_id = primary.span_id;
        return made;
    }

    void add(StoryEvent made) {
        if (made.gateway_seq == 0) made.gateway_seq = ++seqs_[std::string(texts[made.session_id])];
        ledger.add(made, texts);
    }

    [[nodiscard]] const SessionSums& only() const { return *ledger.listed(0).at(0); }

    GuardConfig guard;
    TextPool texts;
    SessionLedger ledger;

  private:
    std::uint64_t made_ = 0;
    std::map<std::string, std::uint64_t> seqs_;
};

}  // namespace spangate
