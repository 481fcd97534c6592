#include "app/watch_erased_keys.h"

#include "app/make_rules.h"

namespace spangate {

ErasedKeyWatches watch_erased_keys(
    const Config& config, const CurrentRules& rules, Metrics& metrics
) {
    if (!has_evidence_keys(config.route.evidence)) return {};
    Counter& retired = metrics.counter(
        "spangate_evidence_data_keys_retired_total",
        "Data keys of this gateway that somebody erased: it uses them no more."
    );
    const auto on_erased = [&rules, &retired](std::string_view key_id) {
        const std::shared_ptr<const Rules> current = rules.load();
        const bool has_keys = current->evidence_keys != nullptr;
        if (has_keys && current->evidence_keys->retire(key_id)) retired.add();
    };
    ErasedKeyWatches watches;
    const ExportersConfig& to = config.exporters;
    if (!to.kafka.brokers.empty()) {
        watches.push_back(ErasedKeyWatch::of_topic(to.kafka, on_erased, metrics));
    }
    if (!to.jsonl.directory.empty()) {
        watches.push_back(ErasedKeyWatch::of_files(to.jsonl.directory, on_erased, metrics));
    }
    return watches;
}

}  // namespace spangate
