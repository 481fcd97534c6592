#include "replay/json_stream.h"

#include <cmath>
#include <iterator>

#include <fmt/format.h>

#include "session/event_line.h"

namespace spangate {

void JsonStream::separate() {
    if (needs_comma_) out_ << ',';
    if (wants_line_) out_ << '\n';
    needs_comma_ = true;
    wants_line_ = false;
}

void JsonStream::begin_object() {
    separate();
    out_ << '{';
    needs_comma_ = false;
}

void JsonStream::end_object() {
    if (wants_line_) out_ << '\n';
    wants_line_ = false;
    out_ << '}';
    needs_comma_ = true;
}

void JsonStream::begin_array() {
    separate();
    out_ << '[';
    needs_comma_ = false;
}

void JsonStream::end_array() {
    if (wants_line_) out_ << '\n';
    wants_line_ = false;
    out_ << ']';
    needs_comma_ = true;
}

void JsonStream::name(std::string_view name) {
    separate();
    out_ << '"' << name << "\":";
    needs_comma_ = false;
}

void JsonStream::text(std::string_view value) {
    separate();
    escaped_.clear();
    for (const char c : value) {
        if (c == '"' || c == '\\') escaped_ += '\\';
        escaped_ += c;
    }
    scratch_.clear();
    append_harmless(escaped_, scratch_);
    out_ << '"' << scratch_ << '"';
}

void JsonStream::integer(std::int64_t value) {
    separate();
    out_ << value;
}

void JsonStream::count(std::uint64_t value) {
    separate();
    out_ << value;
}

void JsonStream::real(double value) {
    separate();
    scratch_.clear();
    if (std::isfinite(value)) {
        fmt::format_to(std::back_inserter(scratch_), "{}", value);
    } else {
        scratch_ = "null";
    }
    out_ << scratch_;
}

void JsonStream::boolean(bool value) {
    separate();
    out_ << (value ? "true" : "false");
}

void JsonStream::raw(std::string_view json) {
    separate();
    out_ << json;
}

void JsonStream::new_line() {
    wants_line_ = true;
}

void JsonStream::member(std::string_view member_name, std::string_view value) {
    if (value.empty()) return;
    name(member_name);
    text(value);
}

void JsonStream::member_count(std::string_view member_name, std::int64_t value) {
    if (value < 0) return;
    name(member_name);
    integer(value);
}

void JsonStream::member_real(std::string_view member_name, double value) {
    if (!std::isfinite(value)) return;
    name(member_name);
    real(value);
}

void JsonStream::member_sum(std::string_view member_name, double value) {
    constexpr double parts = 1e9;
    member_real(
        member_name, std::abs(value) < 1e6 ? std::round(value * parts) / parts + 0.0 : value
    );
}

void JsonStream::member_true(std::string_view member_name, bool value) {
    if (!value) return;
    name(member_name);
    boolean(true);
}

}  // namespace spangate
