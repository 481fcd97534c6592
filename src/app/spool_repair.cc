#include "spool/spool_repair.h"

#include <cstdio>
#include <memory>

#include <fmt/format.h>

#include "app/spool.h"
#include "base/file_system.h"
#include "spool/spool_directory.h"

namespace spangate {

ExitCode repair_spool(const SpoolArguments& arguments) {
    const auto places = spool_places(arguments, "repair");
    if (!places) return places.error();
    const Result<std::unique_ptr<SpoolDirectory>> lock =
        SpoolDirectory::lock(places->directory, true);
    if (!lock) return spool_failure("repair", lock.error());
    PosixFileSystem files;
    for (const auto& [line, path] : places->lines) {
        const Result<LineRepair> repair = repair_line(files, path, line);
        if (!repair) return spool_failure("repair", repair.error());
        const std::string text =
            arguments.prints_json ? fmt::format(
                                        R"({{"class":"{}","rewritten_segments":{},)"
                                        R"("kept_records":{},"lost_records":{},"put_aside":{}}})",
                                        name_of(line),
                                        repair->rewritten_segments,
                                        repair->kept_records,
                                        repair->lost_records,
                                        repair->put_aside_files
                                    )
                                  : fmt::format(
                                        "{}: {} segments rewritten with {} whole records ({} "
                                        "lost), {} files put aside",
                                        name_of(line),
                                        repair->rewritten_segments,
                                        repair->kept_records,
                                        repair->lost_records,
                                        repair->put_aside_files
                                    );
        std::printf("%s\n", text.c_str());
    }
    return ExitCode::clean;
}

}  // namespace spangate
