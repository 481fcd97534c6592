// Records of who read or erased evidence, and why: stored before it happens, or it does not happen.
#pragma once

#include <span>
#include <string>

#include "base/result.h"
#include "config/config.h"

namespace spangate {

// Where audit records go: to the topic, or to audit.jsonl beside JSONL files.
struct AuditPlace {
    std::string directory;  // empty: Kafka
    KafkaConfig kafka;
};

// «name@host» of whoever runs the program.
[[nodiscard]] std::string audit_user();

// Whom the brokers take the caller for, as far as the configuration tells; «anonymous» without
// credentials, empty where no broker is asked.
[[nodiscard]] std::string audit_principal(const AuditPlace& place);

// Returns when all of `records` (JSON objects) are on all replicas, or on the device.
[[nodiscard]] Status write_audit(
    const AuditPlace& place,
    const std::string& tenant_id,
    const std::string& key,
    std::span<const std::string> records
);

}  // namespace spangate
