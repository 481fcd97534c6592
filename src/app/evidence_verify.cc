#include <cstdio>
#include <iterator>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "app/evidence.h"
#include "app/evidence_source.h"
#include "app/report_faults.h"
#include "base/clock.h"
#include "base/text.h"
#include "config/load_config.h"
#include "digest/tenant_keys.h"
#include "session/event_line.h"
#include "session/evidence_check.h"
#include "session/tail.h"
#include "session/topic_reach.h"

namespace spangate {
namespace {

constexpr const char* command = "verify";

struct Setup {
    EvidenceSource source;
    std::shared_ptr<const TenantKeys> tenants;  // null: no key file
    EventQuery query;
};

// From the file, with --brokers, --from and --key-file over it.
tl::expected<Setup, ExitCode> set_up(const EvidenceVerifyArguments& arguments) {
    Setup setup;
    setup.source.directory = arguments.directory;
    std::string key_file = arguments.key_file;
    if (!arguments.config_path.empty()) {
        auto config = load_config(arguments.config_path);
        if (!config) {
            report_faults(config.error());
            return tl::unexpected(ExitCode::usage);
        }
        setup.source.kafka = config->exporters.kafka;
        const bool has_brokers =
            !config->exporters.kafka.brokers.empty() || !arguments.brokers.empty();
        if (setup.source.directory.empty() && !has_brokers) {
            setup.source.directory = config->exporters.jsonl.directory;
        }
        if (key_file.empty()) key_file = config->route.evidence.encrypt_key_file;
    }
    if (!arguments.brokers.empty()) {
        setup.source.kafka.brokers.clear();
        std::istringstream list(arguments.brokers);
        for (std::string broker; std::getline(list, broker, ',');)
            setup.source.kafka.brokers.push_back(broker);
    }
    if (setup.source.directory.empty() && setup.source.kafka.brokers.empty()) {
        std::fprintf(
            stderr,
            "spangate evidence verify: give --from DIR, --brokers HOST:PORT, or --config FILE\n"
        );
        return tl::unexpected(ExitCode::usage);
    }
    if (!key_file.empty()) {
        auto tenants = TenantKeys::load(key_file);
        if (!tenants) return tl::unexpected(evidence_failure(command, tenants.error()));
        setup.tenants = std::move(*tenants);
    }
    setup.query.classes = {EventClass::operational, EventClass::detail, EventClass::evidence};
    setup.query.session_id = arguments.session_id;
    if (!arguments.since.empty()) {
        const Result<WallNanos> since = since_from(arguments.since, SystemClock().wall_nanos());
        if (!since) return tl::unexpected(evidence_failure(command, since.error()));
        setup.query.since = *since;
    }
    return setup;
}

std::string json_text(std::string_view text) {
    std::string escaped;
    for (const char c : text) {
        if (c == '"' || c == '\\') escaped += '\\';
        escaped += c;
    }
    std::string harmless = "\"";
    append_harmless(escaped, harmless);
    return harmless + '"';
}

void print_json(const EvidenceReport& report) {
    std::string out = "{";
    for (std::size_t i = 0; i < report.counts.size(); ++i) {
        fmt::format_to(
            std::back_inserter(out), "\"{}\":{},", evidence_verdict_names[i], report.counts[i]
        );
    }
    fmt::format_to(
        std::back_inserter(out),
        R"("chunks":{},"encrypted":{},"decrypted":{},"damaged":{},"sealed_after_erasure":{},)",
        report.chunks,
        report.encrypted,
        report.decrypted,
        report.damaged,
        report.sealed_after_erasure
    );
    if (report.newest_expired > 0) {
        fmt::format_to(
            std::back_inserter(out), "\"newest_expired\":\"{}\",", to_rfc3339(report.newest_expired)
        );
    }
    out += "\"findings\":[";
    for (const EvidenceFinding& finding : report.findings) {
        fmt::format_to(
            std::back_inserter(out),
            R"({}{{"verdict":"{}","tenant_id":{},"session_id":{},"event_id":{},"text":{}}})",
            out.back() == '[' ? "" : ",",
            evidence_verdict_names[static_cast<std::size_t>(finding.verdict)],
            json_text(finding.tenant_id),
            json_text(finding.session_id),
            json_text(finding.event_id),
            json_text(finding.text)
        );
    }
    std::printf("%s]}\n", out.c_str());
}

// What is no finding, and is to be known all the same.
void print_notes(const EvidenceReport& report) {
    if (report.count(EvidenceVerdict::expired) > 0) {
        const std::string line = fmt::format(
            "expired: older than all that the topics still hold there (the newest was received at "
            "{}); whether it was there before it expired cannot be known any more",
            to_rfc3339(report.newest_expired)
        );
        std::printf("%s\n", line.c_str());
    }
    if (report.sealed_after_erasure > 0) {
        const std::string line = fmt::format(
            "{} of the erased were sealed after their key had been erased, by a gateway that had "
            "not heard of it: give it the right to read the topic of evidence keys, or reload it",
            report.sealed_after_erasure
        );
        std::printf("%s\n", line.c_str());
    }
}

void print_text(const EvidenceReport& report, const std::string& why_no_keys) {
    for (const EvidenceFinding& finding : report.findings) {
        std::string line;
        append_harmless(
            fmt::format(
                "{}: tenant {}, session {}, event {}: {}",
                evidence_verdict_names[static_cast<std::size_t>(finding.verdict)],
                finding.tenant_id,
                finding.session_id,
                finding.event_id,
                finding.text
            ),
            line
        );
        std::printf("%s\n", line.c_str());
    }
    const std::string counts = fmt::format(
        "{} tellings of evidence in {} chunks: {} match, {} erased (commitments hold), {} "
        "mismatch, "
        "{} missing a chunk, {} missing, {} expired, {} unclaimed, {} undecryptable",
        report.tellings(),
        report.chunks,
        report.count(EvidenceVerdict::match),
        report.count(EvidenceVerdict::erased),
        report.count(EvidenceVerdict::mismatch),
        report.count(EvidenceVerdict::missing_chunk),
        report.count(EvidenceVerdict::missing_evidence),
        report.count(EvidenceVerdict::expired),
        report.count(EvidenceVerdict::unclaimed),
        report.count(EvidenceVerdict::undecryptable)
    );
    std::printf("%s\n", counts.c_str());
    print_notes(report);
    if (report.encrypted > 0) {
        const std::string sealed = fmt::format(
            "{} encrypted, {} of them decrypted here", report.encrypted, report.decrypted
        );
        std::printf("%s\n", sealed.c_str());
        if (!why_no_keys.empty()) {
            std::printf("data keys were not read: %s\n", why_no_keys.c_str());
        }
    }
    if (report.damaged > 0) {
        std::printf("%s\n", fmt::format("{} records could not be read", report.damaged).c_str());
    }
}

Status read_all(const Setup& setup, EvidenceCheck& check) {
    Result<std::unique_ptr<EventReader>> reader = setup.source.open(setup.query);
    if (!reader) return tl::unexpected(std::move(reader.error()));
    StoredEvent event;
    while (true) {
        const Result<ReadState> state = (*reader)->next(event);
        if (!state) return tl::unexpected(state.error());
        if (*state == ReadState::end) return {};
        if (*state == ReadState::event) check.add(event);
    }
}

}  // namespace

ExitCode verify_evidence(const EvidenceVerifyArguments& arguments) {
    const tl::expected<Setup, ExitCode> setup = set_up(arguments);
    if (!setup) return setup.error();
    std::string why_no_keys;
    Result<std::optional<EvidenceKeyStore>> keys = setup->source.read_keys(why_no_keys);
    if (!keys) return evidence_failure(command, keys.error());
    std::optional<EvidenceOpener> opener;
    if (*keys) opener.emplace(**keys, setup->tenants.get());
    EvidenceCheck check(opener ? &*opener : nullptr, arguments.tenant_id);
    if (const Status read = read_all(*setup, check); !read) {
        return evidence_failure(command, read.error());
    }
    // Once more: a key that came after the first look must not count as erased.
    const Result<std::optional<EvidenceKeyStore>> newest = setup->source.read_keys(why_no_keys);
    if (!newest) return evidence_failure(command, newest.error());
    std::unique_ptr<TopicReach> reach;  // files cannot tell
    if (setup->source.directory.empty()) {
        auto connected = TopicReach::connect(setup->source.kafka);
        if (!connected) return evidence_failure(command, connected.error());
        reach = std::move(*connected);
    }
    const EvidenceReport report = check.finish(*newest ? &**newest : nullptr, reach.get());
    if (arguments.prints_json) {
        print_json(report);
    } else {
        print_text(report, why_no_keys);
    }
    if (report.tellings() == 0 && report.damaged == 0) return ExitCode::not_found;
    return report.is_clean() ? ExitCode::clean : ExitCode::findings;
}

}  // namespace spangate
