#include "spool/spool_metrics.h"

namespace spangate {

SpoolMetrics::SpoolMetrics(Metrics& metrics, SpoolLine line)
    : appended_records(metrics.counter(
          "spangate_spool_appended_records_total",
          "Records written to the spool",
          {{"class", name_of(line)}}
      )),
      appended_bytes(metrics.counter(
          "spangate_spool_appended_bytes_total",
          "Bytes of records written to the spool",
          {{"class", name_of(line)}}
      )),
      syncs(metrics.counter(
          "spangate_spool_syncs_total", "Rounds that were stored", {{"class", name_of(line)}}
      )),
      sync_failures(metrics.counter(
          "spangate_spool_sync_failures_total",
          "Rounds that the device did not take; nothing of them was acknowledged",
          {{"class", name_of(line)}}
      )),
      torn_tails(metrics.counter(
          "spangate_spool_torn_tails_total",
          "Segments whose unsynced end was cut at start; nothing of it was acknowledged",
          {{"class", name_of(line)}}
      )),
      lost_records(metrics.counter(
          "spangate_spool_corrupt_records_total",
          "Stored records that damage took",
          {{"class", name_of(line)}}
      )),
      quarantined_files(metrics.counter(
          "spangate_spool_quarantined_files_total",
          "Files made or moved to the quarantine",
          {{"class", name_of(line)}}
      )),
      unkept_bytes(metrics.counter(
          "spangate_spool_quarantine_refused_bytes_total",
          "Damaged bytes that the quarantine had no room for",
          {{"class", name_of(line)}}
      )),
      bytes(metrics.gauge(
          "spangate_spool_bytes", "Bytes on disk, quarantine included", {{"class", name_of(line)}}
      )),
      segments(metrics.gauge("spangate_spool_segments", "Segment files", {{"class", name_of(line)}})
      ) {
    for (std::size_t i = 0; i < damages.size(); ++i) {
        damages[i] = &metrics.counter(
            "spangate_spool_damages_total",
            "Damaged places, files and cursors met in the spool",
            {{"class", name_of(line)}, {"reason", spool_damage_names[i]}}
        );
    }
}

}  // namespace spangate
