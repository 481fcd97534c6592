#include "timeline/story_time.h"

#include "base/text.h"

namespace spangate {
namespace {

// Days from 1970-01-01 to a date of the Gregorian calendar.
constexpr std::int64_t days_to(std::int64_t year, std::int64_t month, std::int64_t day) {
    year -= month <= 2 ? 1 : 0;
    const std::int64_t era = year / 400;
    const std::int64_t year_of_era = year - era * 400;
    const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719'468;
}

}  // namespace

WallNanos story_time_from(std::string_view text) {
    constexpr std::string_view form = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
    bool is_plain = text.size() == form.size();
    for (std::size_t i = 0; is_plain && i < form.size(); ++i)
        is_plain = form[i] == 'd' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    if (!is_plain) return from_rfc3339(text).value_or(0);
    const auto number = [text](std::size_t at, std::size_t digits) {
        std::int64_t value = 0;
        for (std::size_t i = at; i < at + digits; ++i)
            value = value * 10 + (text[i] - '0');
        return value;
    };
    const std::int64_t year = number(0, 4);
    const std::int64_t month = number(5, 2);
    const std::int64_t day = number(8, 2);
    const std::int64_t hour = number(11, 2);
    const std::int64_t minute = number(14, 2);
    const std::int64_t second = number(17, 2);
    const bool is_common = year >= 1970 && year < 2262 && month >= 1 && month <= 12 && day >= 1 &&
                           day <= 28 && hour < 24 && minute < 60 && second < 60;
    if (!is_common) return from_rfc3339(text).value_or(0);
    constexpr std::int64_t nanos_per_second = 1'000'000'000;
    const std::int64_t seconds = days_to(year, month, day) * 86'400 + hour * 3'600 + minute * 60;
    return (seconds + second) * nanos_per_second + number(20, 9);
}

}  // namespace spangate
