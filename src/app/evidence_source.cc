#include "app/evidence_source.h"

#include <cstdio>
#include <utility>

#include "session/jsonl_reader.h"
#include "session/kafka_reader.h"

namespace spangate {

Result<std::unique_ptr<EventReader>> EvidenceSource::open(EventQuery query) const {
    if (!directory.empty()) return JsonlReader::open(directory, std::move(query));
    return KafkaReader::open(kafka, std::move(query));
}

Result<std::optional<EvidenceKeyStore>> EvidenceSource::read_keys(std::string& why) const {
    Result<EvidenceKeyStore> store =
        directory.empty() ? EvidenceKeyStore::read(kafka) : EvidenceKeyStore::read(directory);
    if (store) return std::move(*store);
    const bool is_absent = store.error().code == ErrorCode::not_found ||
                           store.error().code == ErrorCode::permission_denied;
    if (!is_absent) return tl::unexpected(std::move(store.error()));
    why = store.error().message;
    return std::nullopt;
}

ExitCode evidence_failure(const char* command, const Error& error) {
    std::fprintf(stderr, "spangate evidence %s: %s\n", command, error.message.c_str());
    switch (error.code) {
        case ErrorCode::invalid_argument:
            return ExitCode::usage;
        case ErrorCode::permission_denied:
        case ErrorCode::unauthenticated:
            return ExitCode::no_rights;
        default:
            return ExitCode::broken;
    }
}

}  // namespace spangate
