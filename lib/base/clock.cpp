#include "base/clock.h"

#include <fmt/format.h>

#include <ctime>

namespace base {
namespace {

constexpr const char* month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr const char* day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

std::tm local(Wall when)
{
    std::time_t seconds = std::chrono::system_clock::to_time_t(when);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return parts;
}

} // namespace

std::string mail_date(Wall when)
{
    std::tm t = local(when);
    long minutes = t.tm_gmtoff / 60;
    return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} {}{:02}{:02} ({})", day_names[t.tm_wday], t.tm_mday, month_names[t.tm_mon],
                       t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec, minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                       std::abs(minutes) % 60, t.tm_zone);
}

std::string log_date(Wall when)
{
    std::tm t = local(when);
    return fmt::format("{} {:2} {:02}:{:02}:{:02}", month_names[t.tm_mon], t.tm_mday, t.tm_hour, t.tm_min, t.tm_sec);
}

} // namespace base
