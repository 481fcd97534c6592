#include "app/audit_log.h"

#include <algorithm>
#include <memory>
#include <vector>

#include <pwd.h>
#include <unistd.h>

#include "app/make_rules.h"
#include "base/file_system.h"
#include "deliver/topic_admin.h"
#include "deliver/topic_writer.h"

namespace spangate {
namespace {

Status append_to_file(const std::string& directory, std::span<const std::string> records) {
    PosixFileSystem files;
    auto file = files.open_append(directory + "/audit.jsonl", 0600);
    if (!file) return tl::unexpected(std::move(file.error()));
    for (const std::string& record : records) {
        if (Status done = (*file)->append(record + "\n"); !done) return done;
    }
    if (Status done = (*file)->sync(); !done) return done;
    return files.sync_directory(directory);
}

Result<std::string> topic_of(const KafkaConfig& kafka, const std::string& tenant_id) {
    const std::vector<std::string> topics = audit_topics(kafka);
    std::size_t index = 0;
    if (topics.size() > 1) {
        const auto at = std::find(kafka.tenants.begin(), kafka.tenants.end(), tenant_id);
        index = static_cast<std::size_t>(at - kafka.tenants.begin());
    }
    if (index >= topics.size()) {
        return fail(ErrorCode::not_found, "this tenant has no audit topic");
    }
    return topics[index];
}

}  // namespace

std::string audit_user() {
    const ::passwd* const user =
        ::getpwuid(::geteuid());  // NOLINT(concurrency-mt-unsafe): one thread
    const std::string name = user == nullptr ? std::to_string(::geteuid()) : user->pw_name;
    return name + "@" + host_name();
}

std::string audit_principal(const AuditPlace& place) {
    if (!place.directory.empty()) return {};
    const KafkaConfig& kafka = place.kafka;
    if (!kafka.sasl.username.empty()) return kafka.sasl.username;
    if (!kafka.sasl.token_file.empty() || !kafka.sasl.oauth.empty()) return "by token";
    if (!kafka.tls.cert_file.empty()) return "by certificate";
    return "anonymous";
}

Status write_audit(
    const AuditPlace& place,
    const std::string& tenant_id,
    const std::string& key,
    std::span<const std::string> records
) {
    if (!place.directory.empty()) return append_to_file(place.directory, records);
    const Result<std::string> topic = topic_of(place.kafka, tenant_id);
    if (!topic) return tl::unexpected(topic.error());
    auto writer = TopicWriter::connect(place.kafka);
    if (!writer) return tl::unexpected(std::move(writer.error()));
    std::vector<TopicRecord> written;
    for (const std::string& record : records)
        written.push_back({key, record});
    return (*writer)->write(*topic, written);
}

}  // namespace spangate
