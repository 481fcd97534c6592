#include <algorithm>
#include <cstdio>
#include <string>

#include <fmt/format.h>

#include "app/spool.h"
#include "base/file_system.h"
#include "base/json_quote.h"
#include "base/text.h"
#include "session/event_line.h"
#include "spool/spool_survey.h"

namespace spangate {
namespace {

std::string as_json(const SpoolRecord& record, bool shows_value) {
    return fmt::format(
        R"({{"class":"{}","event_type":"{}","event_id":{},"tenant_id":{},"session_id":{},)"
        R"("gateway_epoch":{},"gateway_seq":{},"bytes":{},"ts_received":"{}","evidence_key":{}{}{}}})",
        name_of(record.event_class),
        name_of(record.event_type),
        json_quote(view(record.event_id)),
        json_quote(record.tenant_id),
        json_quote(record.key),
        record.gateway_epoch,
        record.gateway_seq,
        record.value.size(),
        to_rfc3339(record.timestamp_ms * 1'000'000),
        record.is_evidence_key,
        shows_value ? ",\"value\":" : "",
        shows_value ? json_quote(record.value) : ""
    );
}

std::string as_text(const SpoolRecord& record, bool shows_value) {
    std::string line;
    append_harmless(
        fmt::format(
            "{} {} {} {} tenant={} session={} seq={} bytes={}{}{}",
            to_rfc3339(record.timestamp_ms * 1'000'000),
            name_of(record.event_class),
            record.is_evidence_key ? "evidence_key" : name_of(record.event_type),
            view(record.event_id),
            record.tenant_id,
            record.key,
            record.gateway_seq,
            record.value.size(),
            shows_value ? " value=" : "",
            shows_value ? record.value : std::string_view()
        ),
        line
    );
    return line;
}

// Raw content is for who asks for it by name: a line can hold evidence only if it is the class's
// own, but a file may have been moved, so the record itself is asked.
bool shows_value(const SpoolArguments& arguments, const SpoolRecord& record) {
    if (!arguments.shows_values) return false;
    if (record.event_class != EventClass::evidence) return true;
    const auto& named = arguments.classes;
    return std::find(named.begin(), named.end(), "evidence") != named.end();
}

}  // namespace

ExitCode dump_spool(const SpoolArguments& arguments) {
    const auto places = spool_places(arguments, "dump");
    if (!places) return places.error();
    PosixFileSystem files;
    bool has_findings = false;
    for (const auto& [line, path] : places->lines) {
        const auto print = [&](const RecordHeader& header) {
            const bool shows = shows_value(arguments, header.record);
            const std::string text = arguments.prints_json ? as_json(header.record, shows)
                                                           : as_text(header.record, shows);
            std::printf("%s\n", text.c_str());
        };
        const Result<LineSurvey> survey = survey_line(files, path, line, print);
        if (!survey) return spool_failure("dump", survey.error());
        has_findings = has_findings || survey->damages_count() > 0;
    }
    return has_findings ? ExitCode::findings : ExitCode::clean;
}

}  // namespace spangate
