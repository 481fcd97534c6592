// JSON written piece by piece to a stream, in the order of the calls: no document is held. Numbers
// that are not told are left out with their names.
#pragma once

#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

namespace spangate {

class JsonStream {
  public:
    // Outlived by `out`.
    explicit JsonStream(std::ostream& out) : out_(out) {}

    void begin_object();
    void end_object();
    void begin_array();
    void end_array();

    // Of the object's next member, whose value is written next.
    void name(std::string_view name);

    // Escaped so that it is harmless on a terminal too (session/event_line.h).
    void text(std::string_view value);
    void integer(std::int64_t value);
    void count(std::uint64_t value);
    void real(double value);  // finite; shortest form that reads back the same
    void boolean(bool value);
    void raw(std::string_view json);

    // The next member or element begins on a new line.
    void new_line();

    // A member; nothing is written of an empty text, a negative count, or what is not a number.
    void member(std::string_view name, std::string_view value);
    void member_count(std::string_view name, std::int64_t value);
    void member_real(std::string_view name, double value);
    // A sum of money, without what adding doubles leaves behind.
    void member_sum(std::string_view name, double value);
    void member_true(std::string_view name, bool value);

  private:
    void separate();

    std::ostream& out_;
    bool needs_comma_ = false;
    bool wants_line_ = false;
    std::string scratch_;
    std::string escaped_;
};

}  // namespace spangate
