// The columns of HtmlStory: what each step is, costs, belongs to and is proven by.
#include <array>
#include <cstring>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "replay/html_story.h"
#include "replay/html_story_columns.h"

namespace spangate {
namespace {

constexpr WallNanos nanos_per_micro = 1000;
constexpr WallNanos nanos_per_milli = 1'000'000;

std::int64_t number_of(std::uint32_t step) {
    return step == no_index ? 0 : std::int64_t{step} + 1;
}

std::int64_t flag_bits(const Step& step) {
    return (step.is_unfinished ? 1 : 0) | (step.is_failed ? 2 : 0) | (step.changes_state ? 4 : 0);
}

template <typename Key>
std::string_view bytes_of(const Key& key) {
    return {reinterpret_cast<const char*>(key.data()), key.size()};
}

// A keyed digest, «<key id>:<32 hex>», taken apart.
struct KeyedDigest {
    std::string_view key_id;
    std::array<std::uint8_t, 16> bytes{};
};

std::optional<KeyedDigest> keyed_digest_of(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) return std::nullopt;
    KeyedDigest digest{text.substr(0, colon), {}};
    const std::string_view hex = text.substr(colon + 1);
    // Upper-case digits would not come back as they were.
    if (hex.find_first_of("ABCDEF") != std::string_view::npos) return std::nullopt;
    if (!read_hex(hex, digest.bytes)) return std::nullopt;
    return digest;
}

// Base64 of rows written one after the other, as if it were of all their bytes at once.
class Base64Rows {
  public:
    explicit Base64Rows(HtmlOutput& out) : out_(out) { out_.raw('"'); }

    ~Base64Rows() {
        out_.raw(to_base64(rest_));
        out_.raw('"');
    }

    Base64Rows(const Base64Rows&) = delete;
    Base64Rows& operator=(const Base64Rows&) = delete;

    void add(std::string_view bytes) {
        rest_ += bytes;
        const std::size_t whole = rest_.size() / 3 * 3;
        out_.raw(to_base64(std::string_view(rest_).substr(0, whole)));
        rest_.erase(0, whole);
    }

  private:
    HtmlOutput& out_;
    std::string rest_;
};

}  // namespace

void HtmlStory::write_steps() {
    name("kind");
    out_.raw('"');
    for (const std::uint32_t row : rows_) {
        out_.raw(views_.letter(timeline_.steps[row]));
    }
    out_.raw('"');
    if (rows_.size() != timeline_.steps.size()) {
        std::int64_t before = 0;
        column("number", [&](const Step& step, const StoryEvent&) {
            const std::int64_t number = (&step - timeline_.steps.data()) + 1;
            const std::int64_t more = number - before;
            before = number;
            return more;
        });
    }
    column("lane", [](const Step& step, const StoryEvent&) { return step.lane; });
    std::int64_t before = timeline_.totals.started_at / nanos_per_micro;
    column("at", [&](const Step& step, const StoryEvent&) {
        const std::int64_t at = step.start_at / nanos_per_micro;
        const std::int64_t more = at - before;
        before = at;
        return more;
    });
    column("for", [](const Step& step, const StoryEvent&) {
        const WallNanos end_at = std::max(step.end_at, step.start_at);
        return end_at / nanos_per_micro - step.start_at / nanos_per_micro;
    });
    column("what", [&](const Step& step, const StoryEvent&) {
        return texts_.number_of(views_.what(step));
    });
    sparse("bits", 0, [](const Step& step, const StoryEvent&) { return flag_bits(step); });
    std::string joined;
    sparse("flags", 0, [&](const Step& step, const StoryEvent&) -> std::int64_t {
        joined.clear();
        for (const std::string& flag : views_.flags(step)) {
            if (!joined.empty()) joined += '\x1f';
            joined += flag;
        }
        return texts_.number_of(joined);
    });
}

void HtmlStory::write_usage() {
    reals("cost", [](const Step& step, const StoryEvent&) { return step.cost_usd; });
    sparse("tokens", no_count, [](const Step& step, const StoryEvent&) { return step.tokens; });
    if (rows_.size() != timeline_.steps.size()) {
        reals("cost_sum", [](const Step& step, const StoryEvent&) { return step.cost_sum_usd; });
        column("tokens_sum", [](const Step& step, const StoryEvent&) { return step.tokens_sum; });
    }
    double before = no_real;
    reals("budget", [&](const Step& step, const StoryEvent&) {
        if (step.budget_left == before) return no_real;
        before = step.budget_left;
        return step.budget_left;
    });
    const auto count = [&](std::string_view of, std::int64_t StoryEvent::*member) {
        sparse(of, no_count, [member](const Step&, const StoryEvent& event) {
            return event.*member;
        });
    };
    count("tokens_prompt", &StoryEvent::tokens_prompt);
    count("tokens_completion", &StoryEvent::tokens_completion);
    count("tokens_cache_read", &StoryEvent::tokens_cache_read);
    count("tokens_cache_write", &StoryEvent::tokens_cache_write);
    count("tokens_reasoning", &StoryEvent::tokens_reasoning);
    reals("ttft", [](const Step&, const StoryEvent& event) { return event.ttft_ms; });
}

void HtmlStory::write_links() {
    sparse("parent", 0, [](const Step& step, const StoryEvent&) { return number_of(step.parent); });
    sparse("paired", 0, [](const Step& step, const StoryEvent&) { return number_of(step.paired); });
    sparse("attempt", no_count, [](const Step& step, const StoryEvent&) { return step.attempt; });
    sparse("attempt_of", 0, [](const Step& step, const StoryEvent&) {
        return number_of(step.attempt_of);
    });
    changes("loop", [](const Step& step, const StoryEvent&) { return number_of(step.loop); });
    sparse("error", 0, [&](const Step& step, const StoryEvent&) { return text(step.error_class); });
}

void HtmlStory::write_state() {
    // Carried on from row to row: [rows since, before, after, …] where a row differs from «the
    // state after the row before it, unchanged».
    name("state");
    out_.raw('[');
    TextId standing = no_text;
    std::size_t told = 0;
    bool is_first = true;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        const Step& step = timeline_.steps[rows_[i]];
        if (step.state_before == standing && step.state_after == standing) continue;
        standing = step.state_after;
        if (!is_first) out_.raw(',');
        is_first = false;
        out_.number(static_cast<std::int64_t>(i - told));
        out_.raw(',');
        out_.number(text(step.state_before));
        out_.raw(',');
        out_.number(text(step.state_after));
        told = i;
    }
    out_.raw(']');
}

void HtmlStory::write_integrity() {
    changes("gateway", [&](const Step&, const StoryEvent& event) {
        return text(event.gateway_id);
    });
    changes("epoch", [](const Step&, const StoryEvent& event) {
        return static_cast<std::int64_t>(event.gateway_epoch);
    });
    std::int64_t before = 0;
    column("seq", [&](const Step&, const StoryEvent& event) {
        const auto seq = static_cast<std::int64_t>(event.gateway_seq);
        const std::int64_t more = seq - before;
        before = seq;
        return more;
    });
    changes("partition", [](const Step&, const StoryEvent& event) {
        return std::int64_t{event.partition};
    });
    before = 0;
    column("offset", [&](const Step&, const StoryEvent& event) {
        const std::int64_t more = event.offset - before;
        before = event.offset;
        return more;
    });
    column("lag", [](const Step& step, const StoryEvent& event) {
        return (event.received_at - step.end_at) / nanos_per_milli;
    });
    changes("promised", [](const Step&, const StoryEvent& event) {
        return std::int64_t{event.classes};
    });
    changes("seen", [](const Step&, const StoryEvent& event) { return std::int64_t{event.seen}; });
    sparse("redactions", no_count, [](const Step&, const StoryEvent& event) {
        return event.redactions == 0 ? no_count : event.redactions;
    });
    sparse("commitment", 0, [&](const Step&, const StoryEvent& event) {
        return text(event.evidence_commitment);
    });
}

void HtmlStory::write_keys() {
    name("event_ids");
    {
        Base64Rows ids(out_);
        for (const std::uint32_t row : rows_) {
            ids.add(bytes_of(timeline_.event_of(timeline_.steps[row]).id));
        }
    }
    name("span_ids");
    {
        Base64Rows ids(out_);
        for (const std::uint32_t row : rows_) {
            ids.add(bytes_of(timeline_.event_of(timeline_.steps[row]).span_id));
        }
    }
    changes("trace", [&](const Step&, const StoryEvent& event) {
        return std::int64_t{texts_.number_of(to_hex(event.trace_id))};
    });
    // A parent that is a shown step's own span need not be told again.
    sparse("parent_span", 0, [&](const Step& step, const StoryEvent& event) -> std::int64_t {
        if (event.parent_span_id == SpanKey{}) return 0;
        if (step.parent != no_index &&
            timeline_.event_of(timeline_.steps[step.parent]).span_id == event.parent_span_id) {
            return 0;
        }
        return texts_.number_of(to_hex(event.parent_span_id));
    });
}

void HtmlStory::write_digests() {
    // Digests of the first key that is seen are kept as bytes: [rows since, n, …] with n > 0 the
    // n-th of "digests", n < 0 the text -n.
    std::unordered_map<std::string, std::int64_t> known;
    std::string all;
    std::string key_id;
    const auto number = [&](TextId id) -> std::int64_t {
        const std::string_view digest = timeline_.text(id);
        if (digest.empty()) return 0;
        const std::optional<KeyedDigest> parts = keyed_digest_of(digest);
        if (parts && key_id.empty()) key_id = parts->key_id;
        if (!parts || parts->key_id != key_id) return -std::int64_t{texts_.number_of(digest)};
        const auto [place, is_new] = known.try_emplace(
            std::string(bytes_of(parts->bytes)), static_cast<std::int64_t>(known.size()) + 1
        );
        if (is_new) all += place->first;
        return place->second;
    };
    sparse("args_digest", 0, [&](const Step& step, const StoryEvent& event) {
        const bool asks_request = event.args_digest == no_text && step.request != no_index;
        return number(
            asks_request ? timeline_.events[step.request].args_digest : event.args_digest
        );
    });
    sparse("result_digest", 0, [&](const Step&, const StoryEvent& event) {
        return number(event.result_digest);
    });
    name("digest_key");
    out_.json(key_id);
    name("digests");
    Base64Rows(out_).add(all);
}

}  // namespace spangate
