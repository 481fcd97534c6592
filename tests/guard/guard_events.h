// Operational records of a session, as they stand on the topic.
#pragma once

#include <cstdint>
#include <string>

#include <fmt/format.h>

#include "base/json_quote.h"
#include "base/text.h"
#include "guard/watch.h"
#include "session/event_reader.h"

namespace spangate::testing {

inline constexpr WallNanos second_ns = 1'000'000'000;
inline constexpr WallNanos guard_start = 1'800'000'000 * second_ns;

struct ToolCall {
    std::string session_id = "sess-1";
    std::string tenant_id = "acme";
    std::string tool = "stripe_api.get_status";
    std::string args = "aa";
    std::string result = "bb";
    std::string source = "span";
    double cost_usd = 0.01;
};

// The `number`-th call of the session, one after the other.
inline StoredEvent tool_response(int number, const ToolCall& call = {}) {
    const WallNanos end = guard_start + number * second_ns / 10;
    StoredEvent stored;
    stored.received_at = end + second_ns / 10;
    stored.partition = 0;
    stored.offset = number;
    stored.value = fmt::format(
        R"({{"schema_version":1,"event_id":"{:032x}","event_class":"operational",)"
        R"("event_type":"tool_response","timestamp":"{}","time_source":"span","ts_received":"{}",)"
        R"("tenant_id":{},"session_id":{},"session_source":"session.id","trace_id":"{:032x}",)"
        R"("span_id":"{:016x}","gateway_id":"gw-1","gateway_epoch":1800000000000,)"
        R"("gateway_seq":{},"source":"{}","rules":"0123456789ab","digest_key_id":"k1",)"
        R"("agent_name":"validator","start_ts":"{}","end_ts":"{}","duration_ms":50,)"
        R"("outcome":"ok","tool_name":{},"args_digest":"k1:{}","result_digest":"k1:{}",)"
        R"("cost_usd":{},"counted":true}})",
        number + 1,
        to_rfc3339(end),
        to_rfc3339(stored.received_at),
        json_quote(call.tenant_id),
        json_quote(call.session_id),
        7,
        number + 1,
        number + 1,
        call.source,
        to_rfc3339(end - second_ns / 20),
        to_rfc3339(end),
        json_quote(call.tool),
        call.args,
        call.result,
        call.cost_usd
    );
    return stored;
}

// Keeps what a watch tells.
class KeptTellings final : public WatchSink {
  public:
    struct Kept {
        std::string tenant_id;
        std::string session_id;
        LoopTelling telling;
        std::uint64_t seq = 0;
        std::int64_t offset = 0;
    };

    void tell(const GuardTelling& told) override {
        tellings.push_back(
            {told.session.tenant_id,
             told.session.session_id,
             told.telling,
             told.session.told_count,
             told.session.offset}
        );
        if (on_tell) on_tell(told);
    }

    void evict(GuardedSession& session) override { evicted.push_back(session.session_id); }

    void forget(const GuardedSession& session) override { forgotten.push_back(session.session_id); }

    std::vector<Kept> tellings;
    std::vector<std::string> evicted;
    std::vector<std::string> forgotten;
    std::function<void(const GuardTelling&)> on_tell;
};

}  // namespace spangate::testing
