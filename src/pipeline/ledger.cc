#include "pipeline/ledger.h"

#include "base/check.h"

namespace spangate {
namespace {

constexpr std::string_view received_name = "spangate_items_received_total";
constexpr std::string_view received_help = "Items decoded, by signal.";
constexpr std::string_view rejected_name = "spangate_items_rejected_total";
constexpr std::string_view rejected_help = "Items the client must not send again, by reason.";
constexpr std::string_view refused_name = "spangate_items_refused_total";
constexpr std::string_view refused_help = "Items the client was asked to send again, by reason.";
constexpr std::string_view dropped_name = "spangate_items_dropped_total";
constexpr std::string_view dropped_help = "Accepted items that make no record, by reason.";

}  // namespace

Ledger::Ledger(Metrics& metrics)
    : received_traces_(metrics.counter(received_name, received_help, {{"signal", "traces"}})),
      received_logs_(metrics.counter(received_name, received_help, {{"signal", "logs"}})),
      accepted_(metrics.counter(
          "spangate_items_accepted_total", "Items answered with success.", {}, ReadOrder::terminal
      )),
      produced_(metrics.counter(
          "spangate_items_produced_total",
          "Accepted items that made records.",
          {},
          ReadOrder::terminal
      )),
      rejected_invalid_(metrics.counter(
          rejected_name, rejected_help, {{"reason", "invalid_item"}}, ReadOrder::terminal
      )),
      rejected_request_(metrics.counter(
          rejected_name, rejected_help, {{"reason", "not_storable"}}, ReadOrder::terminal
      )),
      refused_unavailable_(metrics.counter(
          refused_name, refused_help, {{"reason", "unavailable"}}, ReadOrder::terminal
      )),
      refused_internal_(
          metrics.counter(refused_name, refused_help, {{"reason", "internal"}}, ReadOrder::terminal)
      ),
      dropped_other_(
          metrics.counter(dropped_name, dropped_help, {{"reason", "other"}}, ReadOrder::terminal)
      ),
      dropped_partial_(
          metrics.counter(dropped_name, dropped_help, {{"reason", "partial"}}, ReadOrder::terminal)
      ),
      dropped_duplicate_(metrics.counter(
          dropped_name, dropped_help, {{"reason", "duplicate"}}, ReadOrder::terminal
      )) {}

void Ledger::received(Signal signal, std::uint64_t items) {
    SPANGATE_CHECK(signal != Signal::metrics);
    (signal == Signal::logs ? received_logs_ : received_traces_).add(items);
}

void Ledger::answered(const Outcome& outcome, const ItemCounts& items) {
    if (!outcome.is_success) {
        const Error error{outcome.code, {}};
        if (error.retryable()) {
            refused_unavailable_.add(items.received);
        } else if (outcome.code == ErrorCode::internal || outcome.code == ErrorCode::io) {
            refused_internal_.add(items.received);
        } else {
            rejected_request_.add(items.received);
        }
        return;
    }
    const std::uint64_t accepted = items.received - items.rejected;
    const std::uint64_t dropped =
        items.dropped_other + items.dropped_partial + items.dropped_duplicate;
    rejected_invalid_.add(items.rejected);
    accepted_.add(accepted);
    produced_.add(accepted - dropped);
    dropped_other_.add(items.dropped_other);
    dropped_partial_.add(items.dropped_partial);
    dropped_duplicate_.add(items.dropped_duplicate);
}

}  // namespace spangate
