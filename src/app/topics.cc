#include "app/topics.h"

#include <cstdio>

#include "app/make_rules.h"
#include "app/report_faults.h"
#include "config/load_config.h"
#include "deliver/topic_admin.h"

namespace spangate {
namespace {

ExitCode exit_code(const Error& error) {
    switch (error.code) {
        case ErrorCode::permission_denied:
        case ErrorCode::unauthenticated:
            return ExitCode::no_rights;
        case ErrorCode::invalid_argument:
            return ExitCode::usage;
        default:
            return ExitCode::broken;
    }
}

ExitCode failed(const Error& error) {
    std::fprintf(stderr, "spangate topics: %s\n", error.message.c_str());
    return exit_code(error);
}

}  // namespace

ExitCode topics(const TopicsOptions& options) {
    const auto config = load_config(options.config_path);
    if (!config) {
        report_faults(config.error());
        return ExitCode::usage;
    }
    if (config->exporters.kafka.brokers.empty()) {
        std::fprintf(
            stderr, "%s: exporters.kafka.brokers is not set\n", options.config_path.c_str()
        );
        return ExitCode::usage;
    }
    auto admin =
        TopicAdmin::connect(config->exporters.kafka, has_evidence_keys(config->route.evidence));
    if (!admin) return failed(admin.error());
    const Result<TopicReport> report = options.creates ? (*admin)->create() : (*admin)->check();
    if (!report) return failed(report.error());
    for (const TopicFinding& finding : report->findings) {
        std::printf(
            "%s%s%s%s\n",
            finding.is_drift ? "differs: " : "",
            finding.topic.c_str(),
            finding.topic.empty() ? "" : ": ",
            finding.text.c_str()
        );
    }
    if (report->is_clean()) std::printf("topics are as configured\n");
    return report->is_clean() ? ExitCode::clean : ExitCode::findings;
}

}  // namespace spangate
