#include "deliver/ledger_series.h"

namespace spangate {

LedgerSeries::LedgerSeries(Metrics& metrics, std::string_view sink, std::string_view class_name)
    : accepted(metrics.counter(
          "spangate_records_accepted_total",
          "Records handed to a sink.",
          {{"class", class_name}, {"sink", sink}}
      )),
      recovered(metrics.counter(
          "spangate_records_recovered_total",
          "Records found in the spool at start.",
          {{"class", class_name}, {"sink", sink}}
      )),
      delivered(metrics.counter(
          "spangate_records_delivered_total",
          "Records acknowledged by Kafka, or fsynced.",
          {{"class", class_name}, {"sink", sink}},
          ReadOrder::terminal
      )),
      dead_lettered(metrics.counter(
          "spangate_records_dead_lettered_total",
          "Records replaced by a dead-letter record.",
          {{"class", class_name}, {"sink", sink}},
          ReadOrder::terminal
      )),
      withdrawn(metrics.counter(
          "spangate_records_withdrawn_total",
          "Records that got a number and were then not stored; a gateway_gap event tells it.",
          {{"class", class_name}, {"sink", sink}},
          ReadOrder::terminal
      )),
      in_flight(metrics.gauge(
          "spangate_records_in_flight",
          "Records under way in a sink.",
          {{"class", class_name}, {"sink", sink}}
      )),
      spooled(metrics.gauge(
          "spangate_records_spooled",
          "Records in the spool.",
          {{"class", class_name}, {"sink", sink}}
      )) {}

WithdrawalCounters withdrawal_counters(Metrics& metrics, std::string_view sink) {
    WithdrawalCounters counters{};
    for (std::size_t i = 0; i < counters.size(); ++i) {
        counters[i] = &metrics.counter(
            "spangate_deliver_withdrawals_total",
            "Withdrawn records by reason.",
            {{"sink", sink}, {"reason", withdrawal_reason_names[i]}},
            ReadOrder::terminal
        );
    }
    return counters;
}

}  // namespace spangate
