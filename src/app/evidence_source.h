// Where the evidence commands read from: Kafka, or a directory of JSONL files.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/commands.h"
#include "base/result.h"
#include "config/config.h"
#include "session/event_reader.h"
#include "session/evidence_key_store.h"

namespace spangate {

struct EvidenceSource {
    std::string directory;  // empty: Kafka
    KafkaConfig kafka;

    [[nodiscard]] Result<std::unique_ptr<EventReader>> open(EventQuery query) const;

    // Nothing when there is no such topic or file, or no right to read it; then `why` says so.
    [[nodiscard]] Result<std::optional<EvidenceKeyStore>> read_keys(std::string& why) const;
};

[[nodiscard]] ExitCode evidence_failure(const char* command, const Error& error);

}  // namespace spangate
