// Every place in an OTLP request where a client can write what it likes. A cell is one canary in
// one such place, in a request that is interpreted, so that records of every class are made of it.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "../decode/otlp_logs_oracle.h"
#include "../decode/otlp_oracle.h"
#include "support/canaries.h"

namespace spangate::testing {

// What stands in the place: the canary alone, or in a sentence.
struct Cell {
    const Canary& canary;
    std::string text;
    std::string session_id;
};

// One resource with one scope with one span or log record, and an edit that puts the cell's text
// into it. An edit returns false where the canary cannot stand (a name as a number).
struct Place {
    using TraceEdit = std::function<
        bool(opentelemetry::proto::trace::v1::ResourceSpans&, opentelemetry::proto::trace::v1::Span&, const Cell&)>;
    using LogEdit = std::function<
        bool(opentelemetry::proto::logs::v1::ResourceLogs&, opentelemetry::proto::logs::v1::LogRecord&, const Cell&)>;

    std::string name;
    TraceEdit in_span;  // one of the two is set
    LogEdit in_log;
    bool is_kept = true;        // whether any record tells what stands there
    bool is_in_json = true;     // whether the JSON writer of these tests knows the place
    bool is_a_version = false;  // where «1.2.3.4» is no address
};

[[nodiscard]] std::vector<Place> span_places();
[[nodiscard]] std::vector<Place> log_places();

// One resource group for each cell; cells in which the canary cannot stand are left out of
// `cells`.
[[nodiscard]] OtlpRequest trace_request(const Place& place, std::vector<Cell>& cells);
[[nodiscard]] OtlpLogs log_request(const Place& place, std::vector<Cell>& cells);

}  // namespace spangate::testing
