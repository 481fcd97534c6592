#include "deliver/line_numbers.h"

namespace spangate {

LineNumbers::LineNumbers(
    Metrics& metrics, std::string_view class_name, const std::array<std::string_view, 6>& states
)
    : state(metrics.gauge(
          "spangate_deliver_state",
          "Where records go: 0 direct to Kafka, 1 collecting, 2 spooling, 3 draining the spool, "
          "4 splitting batches, 5 refusing.",
          {{"class", class_name}}
      )),
      splits(metrics.counter(
          "spangate_deliver_split_total",
          "Times a refused batch was sent again record by record.",
          {{"class", class_name}}
      )),
      rebuilds(metrics.counter(
          "spangate_deliver_producer_rebuilds_total", "Producers replaced after a fatal error."
      )),
      resent(metrics.counter(
          "spangate_deliver_records_resent_total",
          "Records given to a new producer; some may stand in the log twice, with one event_id."
      )),
      rotations(metrics.counter(
          "spangate_deliver_rotations_total",
          "Producers replaced because their access (brokers, TLS, SASL) was renewed.",
          {{"class", class_name}}
      )),
      drained_bytes(metrics.counter(
          "spangate_spool_drained_bytes_total",
          "Bytes of records that went from the spool to Kafka.",
          {{"class", class_name}}
      )),
      read_failures(metrics.counter(
          "spangate_spool_read_failures_total",
          "Reads of the spool that failed and are tried again.",
          {{"class", class_name}}
      )),
      oldest_age_s(metrics.gauge(
          "spangate_spool_oldest_age_seconds",
          "Age of the oldest record in the spool, about; 0: empty.",
          {{"class", class_name}}
      )),
      circuit_is_open(metrics.gauge(
          "spangate_deliver_circuit_open",
          "1 while Kafka is only asked whether it takes records again.",
          {{"class", class_name}}
      )),
      circuit_opened(metrics.counter(
          "spangate_deliver_circuit_opened_total", "Times Kafka was found not to take records."
      )),
      probes_failed(metrics.counter(
          "spangate_deliver_probes_failed_total", "Probes after which the circuit stayed open."
      )) {
    for (std::size_t i = 0; i < states.size(); ++i) {
        transitions[i] = &metrics.counter(
            "spangate_deliver_transitions_total",
            "Changes of a class's state, by the new one.",
            {{"class", class_name}, {"to", states[i]}}
        );
    }
}

}  // namespace spangate
