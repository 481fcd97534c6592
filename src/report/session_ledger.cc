#include "report/session_ledger.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include <xxhash.h>

namespace spangate {
namespace {

constexpr std::size_t counters_max = 64;  // of a session: gateways and their epochs
constexpr std::size_t loops_max = 256;    // of a session, told apart

std::uint64_t hash_of(std::string_view text, std::uint64_t seed = 0) {
    return XXH3_64bits_withSeed(text.data(), text.size(), seed);
}

template <std::size_t size>
std::uint64_t hash_of(const std::array<std::uint8_t, size>& key, std::uint64_t seed) {
    return XXH3_64bits_withSeed(key.data(), key.size(), seed);
}

// Larger is worse.
auto badness(const SessionSums& session) {
    return std::tuple(
        session.verdict(),
        session.sums.errors(),
        session.loops,
        session.sums.cost_usd,
        session.ended_at
    );
}

auto names_of(const SessionSums& session) {
    return std::tie(session.tenant_id, session.session_id);
}

}  // namespace

Verdict SessionSums::verdict() const {
    if (missing > 0 || worst_signal == Severity::critical) return Verdict::critical;
    const bool is_warning =
        sums.errors() > 0 || worst_signal == Severity::warning || unfinished > 0 || explained > 0;
    return is_warning ? Verdict::warning : Verdict::ok;
}

bool is_listed_before(const SessionSums& a, const SessionSums& b, SessionOrder order) {
    const auto rank = [order](const SessionSums& session) -> double {
        switch (order) {
            case SessionOrder::cost:
                return session.sums.cost_usd;
            case SessionOrder::errors:
                return static_cast<double>(session.sums.errors());
            case SessionOrder::loops:
                return static_cast<double>(session.loops);
            case SessionOrder::duration:
                return static_cast<double>(session.duration());
            case SessionOrder::newest:
                return static_cast<double>(session.ended_at);
            case SessionOrder::worst:
                break;
        }
        return 0;
    };
    if (rank(a) != rank(b)) return rank(a) > rank(b);
    if (badness(a) != badness(b)) return badness(a) > badness(b);
    return names_of(a) < names_of(b);
}

SessionLedger::SessionLedger(
    const GuardConfig& guard, SessionOrder order, SessionLedgerLimits limits
)
    : guard_(guard),
      order_(order),
      limits_(limits),
      events_seen_(limits.repeats_min),
      answers_seen_(limits.repeats_min) {}

SessionLedger::~SessionLedger() = default;

void SessionLedger::add(const StoryEvent& event, const TextPool& texts) {
    Record& record = record_of(event, texts);
    const std::uint64_t tenant = hash_of(texts[event.tenant_id]);
    const bool is_new = events_seen_.add(hash_of(event.id, tenant));
    track_number(record, event, texts, is_new);
    if (!is_new) {
        ++repeats_;
        return;
    }
    SessionSums& session = record.session;
    RunSums sums = record.counter.count(event, texts);
    session.unfinished = static_cast<std::uint32_t>(record.counter.unfinished());
    if (event.type == EventType::gateway_gap) {
        const bool has_range = event.seq_from > 0 && event.seq_to >= event.seq_from;
        if (has_range) {
            session.explained += static_cast<std::uint64_t>(event.seq_to - event.seq_from + 1);
        }
    }
    take_usage(event, texts, sums);
    session.sums += sums;
    note_times(session, event);
    if (session.started_at > 0 && (started_at_ == 0 || session.started_at < started_at_)) {
        started_at_ = session.started_at;
    }
    ended_at_ = std::max(ended_at_, session.ended_at);
    add_to_groups(event, texts, sums, record);
    watch(record, event, texts);
    settle(record);
}

SessionLedger::Record& SessionLedger::record_of(const StoryEvent& event, const TextPool& texts) {
    const std::string_view tenant = texts[event.tenant_id];
    const std::string_view session = texts[event.session_id];
    key_.assign(tenant).append(1, '\0').append(session);
    const auto known = records_.find(key_);
    if (known != records_.end()) {
        known->second.touched = ++clock_;
        return known->second;
    }
    if (records_.size() >= limits_.sessions_max) close_quiet_ones();
    Record& record = records_[key_];
    record.session.tenant_id = tenant;
    record.session.session_id = session;
    record.touched = ++clock_;
    return record;
}

// Where reading began within a counter its first numbers are not missing, they are older.
void SessionLedger::track_number(
    Record& record, const StoryEvent& event, const TextPool& texts, bool is_new
) {
    if (event.gateway_seq == 0) return;
    const std::uint64_t counter = hash_of(texts[event.gateway_id], event.gateway_epoch);
    auto known = std::find_if(
        record.numbers.begin(),
        record.numbers.end(),
        [counter](const Numbers& numbers) { return numbers.counter == counter; }
    );
    if (known == record.numbers.end()) {
        if (record.numbers.size() == counters_max) return;
        record.numbers.push_back({counter, event.gateway_seq, event.gateway_seq, 0});
        return;
    }
    if (event.gateway_seq > known->last) {
        known->missing += event.gateway_seq - known->last - 1;
        known->last = event.gateway_seq;
    } else if (is_new && event.gateway_seq > known->first && known->missing > 0) {
        --known->missing;
    }
}

// Usage counts once: as the gateways tell, and over gateways by the model's answer (contract §5).
void SessionLedger::take_usage(const StoryEvent& event, const TextPool& texts, RunSums& sums) {
    if (event.counted != Told::yes) return;
    if (event.response_id != no_text) {
        const std::uint64_t tenant = hash_of(texts[event.tenant_id]);
        const std::uint64_t answer =
            hash_of(texts[event.response_id], hash_of(event.trace_id, tenant));
        // One gateway may tell the parts of one answer; another one tells it again.
        const std::uint64_t teller = hash_of(texts[event.gateway_id], answer);
        if (answers_seen_.add(answer)) {
            (void)answers_seen_.add(teller);
        } else if (!answers_seen_.contains(teller)) {
            ++doubles_;
            return;
        }
    }
    spangate::add_usage(event, sums);
}

void SessionLedger::watch(Record& record, const StoryEvent& event, const TextPool& texts) {
    if (!guard_.enabled || guard_.sessions_max == 0) return;
    if (record.detector == nullptr) give_detector(record);
    told_.clear();
    record.detector->observe(event, texts, told_);
    SessionSums& session = record.session;
    for (const LoopTelling& telling : told_) {
        session.signals |= static_cast<std::uint16_t>(1U << static_cast<unsigned>(telling.signal));
        session.worst_signal =
            std::max(session.worst_signal.value_or(Severity::info), telling.severity);
        const std::uint64_t loop =
            hash_of(telling.first_event_id, static_cast<std::uint64_t>(telling.signal));
        std::vector<std::uint64_t>& known = record.loops_told;
        if (std::find(known.begin(), known.end(), loop) != known.end()) continue;
        if (known.size() == loops_max) known.erase(known.begin());
        known.push_back(loop);
        ++session.loops;
    }
}

// Those quiet longest give theirs up: a tenth at once, so that it is seldom looked for them.
void SessionLedger::give_detector(Record& record) {
    if (detectors_ >= guard_.sessions_max) {
        std::vector<Record*> holders;
        for (auto& [key, other] : records_) {
            if (other.detector != nullptr) holders.push_back(&other);
        }
        const std::size_t count = holders.size() / 10 + 1;
        const auto middle = holders.begin() + static_cast<std::ptrdiff_t>(count - 1);
        std::nth_element(
            holders.begin(),
            middle,
            holders.end(),
            [](const Record* a, const Record* b) { return a->touched < b->touched; }
        );
        for (auto holder = holders.begin(); holder <= middle; ++holder)
            (*holder)->detector.reset();
        detectors_ -= count;
        detectors_dropped_ += count;
    }
    record.detector = std::make_unique<LoopDetector>(guard_);
    ++detectors_;
}

void SessionLedger::add_to_groups(
    const StoryEvent& event, const TextPool& texts, const RunSums& sums, Record& record
) {
    const std::string_view tenant = texts[event.tenant_id];
    std::string_view agent = texts[event.agent_name];
    if (agent.empty()) agent = texts[event.agent_id];
    if (!agent.empty()) note_agent(record.session, agent);
    if (sums.steps == 0 && sums.cost_usd == 0 && sums.tokens() == 0 && sums.errors() == 0) return;
    group_of(agents_, tenant, agent.empty() ? nobody : agent) += sums;
    const bool has_usage = sums.cost_usd > 0 || sums.tokens() > 0;
    if (event.type == EventType::inference || has_usage) {
        const std::string_view model = texts[event.model];
        group_of(models_, tenant, model.empty() ? nobody : model) += sums;
    }
    if (event.type == EventType::tool_request || event.type == EventType::tool_response) {
        const std::string_view tool = texts[event.tool_name];
        group_of(tools_, tenant, tool.empty() ? nobody : tool) += sums;
    }
}

RunSums& SessionLedger::group_of(Groups& groups, std::string_view tenant, std::string_view name) {
    Name key(tenant, name);
    const auto known = groups.find(key);
    if (known != groups.end()) return known->second.sums;
    if (groups.size() >= limits_.names_max) key = Name(others, others);
    return groups[key].sums;
}

void SessionLedger::note_agent(SessionSums& session, std::string_view name) {
    const auto known = name_indices_.find(std::string(name));
    std::uint32_t index = 0;
    if (known != name_indices_.end()) {
        index = known->second;
    } else if (names_.size() < limits_.names_max) {
        index = static_cast<std::uint32_t>(names_.size());
        names_.emplace_back(name);
        name_indices_.emplace(name, index);
    }
    const bool is_known =
        std::find(session.agents.begin(), session.agents.end(), index) != session.agents.end();
    if (!is_known && session.agents.size() < agents_max) session.agents.push_back(index);
}

void SessionLedger::note_times(SessionSums& session, const StoryEvent& event) {
    const bool is_of_gateway =
        event.type == EventType::session_alias || event.type == EventType::gateway_gap;
    if (is_of_gateway) return;
    const WallNanos start = event.start_at > 0 ? event.start_at : event.timestamp;
    const WallNanos end = std::max(event.end_at, event.timestamp);
    if (session.started_at == 0 || start < session.started_at) session.started_at = start;
    session.ended_at = std::max(session.ended_at, end);
}

void SessionLedger::settle(Record& record) const {
    std::uint64_t missing = 0;
    for (const Numbers& numbers : record.numbers)
        missing += numbers.missing;
    SessionSums& session = record.session;
    session.missing = missing > session.explained ? missing - session.explained : 0;
}

void SessionLedger::close_quiet_ones() {
    std::vector<std::uint64_t> touched;
    touched.reserve(records_.size());
    for (const auto& [key, record] : records_)
        touched.push_back(record.touched);
    const auto middle = touched.begin() + static_cast<std::ptrdiff_t>(touched.size() / 10);
    std::nth_element(touched.begin(), middle, touched.end());
    for (auto at = records_.begin(); at != records_.end();) {
        if (at->second.touched > *middle) {
            ++at;
            continue;
        }
        close(at->second);
        at = records_.erase(at);
    }
    trim_closed(limits_.kept_max);
}

void SessionLedger::close(Record& record) {
    if (record.detector != nullptr) --detectors_;
    SessionSums& session = record.session;
    ++closed_count_;
    closed_sums_ += session.sums;
    closed_errors_ += session.sums.errors();
    closed_loops_ += session.loops;
    closed_duration_ += session.duration();
    group_of(tenants_closed_, session.tenant_id, {}) += session.sums;
    ++tenants_closed_[Name(session.tenant_id, {})].sessions;
    closed_.push_back(std::move(session));
}

void SessionLedger::trim_closed(std::size_t kept_max) {
    if (closed_.size() <= kept_max) return;
    const auto end = closed_.begin() + static_cast<std::ptrdiff_t>(kept_max);
    std::nth_element(
        closed_.begin(),
        end,
        closed_.end(),
        [this](const SessionSums& a, const SessionSums& b) {
            return is_listed_before(a, b, order_);
        }
    );
    closed_.erase(end, closed_.end());
}

std::vector<const SessionSums*> SessionLedger::listed(std::size_t limit) const {
    std::vector<const SessionSums*> all;
    all.reserve(records_.size() + closed_.size());
    for (const auto& [key, record] : records_)
        all.push_back(&record.session);
    for (const SessionSums& session : closed_)
        all.push_back(&session);
    const std::size_t count = limit == 0 ? all.size() : std::min(limit, all.size());
    const auto end = all.begin() + static_cast<std::ptrdiff_t>(count);
    std::partial_sort(
        all.begin(),
        end,
        all.end(),
        [this](const SessionSums* a, const SessionSums* b) {
            return is_listed_before(*a, *b, order_);
        }
    );
    all.erase(end, all.end());
    return all;
}

RunSums SessionLedger::totals() const {
    RunSums totals = closed_sums_;
    for (const auto& [key, record] : records_)
        totals += record.session.sums;
    return totals;
}

std::uint64_t SessionLedger::errors() const {
    std::uint64_t errors = closed_errors_;
    for (const auto& [key, record] : records_)
        errors += record.session.sums.errors();
    return errors;
}

std::uint64_t SessionLedger::loops() const {
    std::uint64_t loops = closed_loops_;
    for (const auto& [key, record] : records_)
        loops += record.session.loops;
    return loops;
}

WallNanos SessionLedger::wall_duration() const {
    WallNanos duration = closed_duration_;
    for (const auto& [key, record] : records_)
        duration += record.session.duration();
    return duration;
}

SessionLedger::Groups SessionLedger::tenants() const {
    Groups tenants = tenants_closed_;
    for (const auto& [key, record] : records_) {
        Group& tenant = tenants[Name(record.session.tenant_id, {})];
        tenant.sums += record.session.sums;
        ++tenant.sessions;
    }
    return tenants;
}

}  // namespace spangate
