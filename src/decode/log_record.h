// What both encodings make of a log record before its fields are read.
#pragma once

#include "base/arena.h"
#include "model/span_view.h"

namespace spangate {

[[nodiscard]] inline LogRecordView* make_log_record(Arena& arena) {
    auto* log = arena.make<LogRecordView>();
    log->body.key = "body";
    return log;
}

}  // namespace spangate
