#include <cstdio>
#include <iterator>
#include <string>

#include <fmt/format.h>

#include "app/spool.h"
#include "base/file_system.h"
#include "base/json_quote.h"
#include "base/text.h"
#include "spool/spool_directory.h"
#include "spool/spool_survey.h"

namespace spangate {
namespace {

std::string time_of(std::int64_t timestamp_ms) {
    return to_rfc3339(timestamp_ms * 1'000'000);
}

std::string as_text(SpoolLine line, const LineSurvey& survey) {
    std::string out = fmt::format(
        "{}: {} records, {} bytes, {} segments ({} bytes)",
        name_of(line),
        survey.records,
        survey.record_bytes,
        survey.segments.size(),
        survey.file_bytes
    );
    const auto end = std::back_inserter(out);
    if (survey.oldest_ms) {
        fmt::format_to(
            end, ", oldest {}, newest {}", time_of(*survey.oldest_ms), time_of(*survey.newest_ms)
        );
    }
    if (survey.acknowledged > 0) fmt::format_to(end, ", {} acknowledged", survey.acknowledged);
    if (survey.tail_bytes > 0) {
        fmt::format_to(end, ", {} bytes at the end not synced (no loss)", survey.tail_bytes);
    }
    for (std::size_t i = 0; i < survey.damages.size(); ++i) {
        if (survey.damages[i] == 0) continue;
        fmt::format_to(end, "\n  damage: {} {}", spool_damage_names[i], survey.damages[i]);
    }
    if (survey.records_lost > 0) {
        fmt::format_to(end, "\n  damage took {} records", survey.records_lost);
    }
    if (survey.quarantine_files > 0) {
        fmt::format_to(
            end,
            "\n  quarantine: {} files, {} bytes",
            survey.quarantine_files,
            survey.quarantine_bytes
        );
    }
    return out;
}

std::string as_json(SpoolLine line, const LineSurvey& survey) {
    std::string out = fmt::format(
        R"({{"class":"{}","records":{},"record_bytes":{},"segments":{},"file_bytes":{},)"
        R"("acknowledged":{},"tail_bytes":{},"records_lost":{},"quarantine_files":{},)"
        R"("quarantine_bytes":{})",
        name_of(line),
        survey.records,
        survey.record_bytes,
        survey.segments.size(),
        survey.file_bytes,
        survey.acknowledged,
        survey.tail_bytes,
        survey.records_lost,
        survey.quarantine_files,
        survey.quarantine_bytes
    );
    const auto end = std::back_inserter(out);
    if (survey.oldest_ms) {
        fmt::format_to(
            end,
            R"(,"oldest":"{}","newest":"{}")",
            time_of(*survey.oldest_ms),
            time_of(*survey.newest_ms)
        );
    }
    out += ",\"damages\":{";
    for (std::size_t i = 0; i < survey.damages.size(); ++i) {
        const char* const comma = i == 0 ? "" : ",";
        fmt::format_to(end, R"({}"{}":{})", comma, spool_damage_names[i], survey.damages[i]);
    }
    return out + "}}";
}

}  // namespace

ExitCode check_spool(const SpoolArguments& arguments) {
    const auto places = spool_places(arguments, "check");
    if (!places) return places.error();
    const std::string holder = spool_holder(places->directory);
    if (!holder.empty()) {
        std::fprintf(
            stderr,
            "spangate spool check: %s works on this spool; what it is writing looks like an end "
            "that is not synced\n",
            holder.c_str()
        );
    }
    PosixFileSystem files;
    std::string lines;
    bool has_findings = false;
    for (const auto& [line, path] : places->lines) {
        const Result<LineSurvey> survey = survey_line(files, path, line, {});
        if (!survey) return spool_failure("check", survey.error());
        has_findings = has_findings || survey->damages_count() > 0 || survey->quarantine_files > 0;
        if (arguments.prints_json) {
            lines += (lines.empty() ? "" : ",") + as_json(line, *survey);
        } else {
            std::printf("%s\n", as_text(line, *survey).c_str());
        }
    }
    if (arguments.prints_json) {
        std::printf(
            "{\"directory\":%s,\"held_by\":%s,\"classes\":[%s]}\n",
            json_quote(places->directory).c_str(),
            json_quote(holder).c_str(),
            lines.c_str()
        );
    }
    return has_findings ? ExitCode::findings : ExitCode::clean;
}

}  // namespace spangate
