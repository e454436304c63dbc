// date: the dates of headers (RFC 5322 3.3 and its obsolete forms) and of IMAP (INTERNALDATE), to and from Unix
// seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace mail {

struct Date {
    int64_t unix_seconds = 0;
    int offset_minutes = 0; // east of Greenwich; what the writer's clock showed
    bool operator==(const Date&) const = default;
};

std::optional<Date> parse_date(std::string_view value);
std::string write_date(Date date); // "Tue, 1 Jul 2003 10:52:37 +0200"
// "17-Jul-1996 02:44:25 -0700", the day padded with a space (RFC 9051 date-time); without quotes.
std::optional<Date> parse_imap_date(std::string_view text);
std::string write_imap_date(Date date);
// IMAP SEARCH's date ("1-Feb-1994"): days since 1970-01-01.
std::optional<int64_t> parse_imap_day(std::string_view text);
// The day that the writer's own clock showed, for SENTBEFORE and friends.
int64_t day_of(Date date);

struct CivilDay {
    int64_t year;
    int month, day; // 1-12, 1-31
};
int64_t days_from_civil(int64_t year, int month, int day);
CivilDay civil_from_days(int64_t days);

} // namespace mail
