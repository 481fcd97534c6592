// A data key's record on the topic of evidence keys (contract §6), as the rooms hand it on: made
// with the key, written beside the evidence of every request until it is known to be stored.
// Thread-safe: all but `is_stored` never changes.
#pragma once

#include <atomic>
#include <string>

namespace spangate {

struct EvidenceKeyRecord {
    std::string key_id;     // the record's key, so that compaction keeps one of each
    std::string tenant_id;  // whose key wraps it
    std::string value;      // JSON; the data key stands in it wrapped only

    // Published with release by whoever saw every required sink store it; relaxed is enough to
    // read, because a writer that does not see it yet writes the same record once more.
    std::atomic<bool> is_stored{false};
};

}  // namespace spangate
