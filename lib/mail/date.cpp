// date: days are counted with the proleptic Gregorian calendar; no time zone files, no locale.
#include "mail/date.h"

#include "base/text.h"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace mail {

namespace {

constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> days = {"Thu", "Fri", "Sat", "Sun",
                                                  "Mon", "Tue", "Wed"}; // 1970-01-01 was a Thursday

struct Zone {
    std::string_view name;
    int hours;
};
// RFC 5322 4.3, and two that people write.
constexpr Zone zones[] = {{"UT", 0},   {"GMT", 0},  {"UTC", 0},  {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5},
                          {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"KST", 9},  {"JST", 9}};

int month_of(std::string_view word)
{
    // Some write the whole name.
    for (size_t i = 0; i < months.size(); ++i)
        if (word.size() >= 3 && base::same_word(word.substr(0, 3), months[i])) return static_cast<int>(i) + 1;
    return 0;
}

constexpr bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int month_length(int64_t year, int month)
{
    constexpr std::array<int, 12> lengths = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : lengths[static_cast<size_t>(month - 1)];
}

struct Clock {
    int64_t year = 0;
    int month = 0, day = 0, hour = 0, minute = 0, second = 0, offset = 0;
};

std::optional<Date> to_date(const Clock& clock)
{
    // RFC 5322 3.3: second 60 is a leap second.
    if (clock.year < 1 || clock.year > 9999 || clock.month < 1 || clock.month > 12 || clock.day < 1 ||
        clock.day > month_length(clock.year, clock.month) || clock.hour > 23 || clock.minute > 59 || clock.second > 60)
        return std::nullopt;
    const int64_t local = days_from_civil(clock.year, clock.month, clock.day) * 86400 + clock.hour * 3600 +
                          clock.minute * 60 + clock.second;
    return Date{local - clock.offset * 60, clock.offset};
}

// "+0900". RFC 5322 3.3; a minute past 59 is nonsense.
std::optional<int> numeric_zone(std::string_view word)
{
    if (word.size() != 5 || (word[0] != '+' && word[0] != '-')) return std::nullopt;
    const auto value = base::number<unsigned>(word.substr(1));
    if (!value || *value % 100 > 59 || *value / 100 > 23) return std::nullopt;
    const int minutes = static_cast<int>(*value / 100 * 60 + *value % 100);
    return word[0] == '-' ? -minutes : minutes;
}

int zone_of(std::string_view word)
{
    if (const auto numeric = numeric_zone(word)) return *numeric;
    for (const Zone& zone : zones)
        if (base::same_word(word, zone.name)) return zone.hours * 60;
    return 0; // RFC 5322 4.3: military and unknown zones are -0000
}

// Comments out; words, numbers and zones apart; "10:52:37" and "10 : 52" alike three or two numbers joined by ':'.
std::vector<std::string_view> words_of(std::string_view value)
{
    std::vector<std::string_view> words;
    size_t depth = 0;
    for (size_t at = 0; at < value.size() && words.size() < 16;) {
        const char c = value[at];
        if (c == '\\')
            at += 2;
        else if (c == '(')
            ++depth, ++at;
        else if (c == ')')
            depth -= depth > 0, ++at;
        else if (depth || c == ',' || base::is_space(c))
            ++at;
        else if (c == ':')
            words.push_back(value.substr(at++, 1));
        else {
            const size_t start = at;
            while (at < value.size() && !base::is_space(value[at]) && value[at] != ',' && value[at] != ':' &&
                   value[at] != '(' && value[at] != '\\')
                ++at;
            words.push_back(value.substr(start, at - start));
        }
    }
    return words;
}

class Words {
public:
    explicit Words(std::vector<std::string_view> words) : words_(std::move(words)) {}
    std::string_view peek(size_t ahead = 0) const
    {
        return at_ + ahead < words_.size() ? words_[at_ + ahead] : std::string_view();
    }
    std::string_view take() { return at_ < words_.size() ? words_[at_++] : std::string_view(); }

    std::optional<int> number(size_t digits)
    {
        const std::string_view word = take();
        if (word.size() > digits) return std::nullopt;
        const auto value = base::number<unsigned>(word);
        return value ? std::optional<int>(static_cast<int>(*value)) : std::nullopt;
    }

private:
    std::vector<std::string_view> words_;
    size_t at_ = 0;
};

std::optional<int64_t> read_year(Words& words)
{
    const size_t digits = words.peek().size();
    const auto year = words.number(4);
    if (!year || digits < 2) return std::nullopt;
    if (digits == 4) return *year;
    return *year + (digits == 2 && *year < 50 ? 2000 : 1900); // RFC 5322 4.3
}

bool read_time(Words& words, Clock& clock)
{
    const auto hour = words.number(2);
    if (!hour || words.take() != ":") return false;
    const auto minute = words.number(2);
    if (!minute) return false;
    clock.hour = *hour;
    clock.minute = *minute;
    if (words.peek() != ":") return true;
    words.take();
    const auto second = words.number(2);
    clock.second = second.value_or(0);
    return second.has_value();
}

} // namespace

// Howard Hinnant's published calendar arithmetic: eras of 400 years that begin in March.
int64_t days_from_civil(int64_t year, int month, int day)
{
    year -= month <= 2;
    const int64_t era = (year >= 0 ? year : year - 399) / 400;
    const int64_t year_of_era = year - era * 400;
    const int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

CivilDay civil_from_days(int64_t days_since_1970)
{
    const int64_t shifted = days_since_1970 + 719468;
    const int64_t era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    const int64_t day_of_era = shifted - era * 146097;
    const int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const int64_t march_month = (5 * day_of_year + 2) / 153;
    const int month = static_cast<int>(march_month < 10 ? march_month + 3 : march_month - 9);
    return {year_of_era + era * 400 + (month <= 2), month,
            static_cast<int>(day_of_year - (153 * march_month + 2) / 5 + 1)};
}

std::optional<Date> parse_date(std::string_view value)
{
    Words words(words_of(value.substr(0, 1000)));
    // The day's name is not checked: where it is wrong, the date is the better witness.
    if (!words.peek().empty() && base::is_alpha(words.peek()[0]) && month_of(words.peek()) == 0) words.take();
    Clock clock;
    const bool asctime = month_of(words.peek()) != 0; // "Jul  1 10:52:37 2003"
    if (asctime) clock.month = month_of(words.take());
    const auto day = words.number(2);
    if (!day) return std::nullopt;
    clock.day = *day;
    if (!asctime) {
        clock.month = month_of(words.take());
        const auto year = read_year(words);
        if (!clock.month || !year) return std::nullopt;
        clock.year = *year;
    }
    if (!read_time(words, clock)) return std::nullopt;
    if (asctime) {
        const auto year = read_year(words);
        if (!year) return std::nullopt;
        clock.year = *year;
    }
    clock.offset = zone_of(words.peek());
    return to_date(clock);
}

std::string write_date(Date date)
{
    const int64_t local = date.unix_seconds + date.offset_minutes * int64_t{60};
    const int64_t day = day_of(date), second = local - day * 86400;
    const CivilDay civil = civil_from_days(day);
    const int offset = date.offset_minutes < 0 ? -date.offset_minutes : date.offset_minutes;
    return fmt::format("{}, {} {} {:04} {:02}:{:02}:{:02} {}{:02}{:02}", days[static_cast<size_t>(((day % 7) + 7) % 7)],
                       civil.day, months[static_cast<size_t>(civil.month - 1)], civil.year, second / 3600,
                       second / 60 % 60, second % 60, date.offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}

int64_t day_of(Date date)
{
    const int64_t local = date.unix_seconds + date.offset_minutes * int64_t{60};
    return local >= 0 ? local / 86400 : (local - 86399) / 86400;
}

namespace {

// date-day-fixed "-" date-month "-" date-year, day of one or two digits.
bool read_imap_day(std::string_view text, Clock& clock)
{
    const auto parts = base::split_exact(text, '-');
    if (parts.size() != 3 || parts[0].size() > 2 || parts[1].size() != 3 || parts[2].size() != 4) return false;
    const auto day = base::number<unsigned>(parts[0]);
    const auto year = base::number<unsigned>(parts[2]);
    clock.month = month_of(parts[1]);
    if (!day || !year || !clock.month) return false;
    clock.day = static_cast<int>(*day);
    clock.year = static_cast<int64_t>(*year);
    return true;
}

} // namespace

std::optional<Date> parse_imap_date(std::string_view text)
{
    if (!text.empty() && text[0] == ' ') text.remove_prefix(1);
    const auto parts = base::split_exact(text, ' ');
    Clock clock;
    if (parts.size() != 3 || !read_imap_day(parts[0], clock)) return std::nullopt;
    const std::string_view time = parts[1];
    if (time.size() != 8 || time[2] != ':' || time[5] != ':') return std::nullopt;
    const auto hour = base::number<unsigned>(time.substr(0, 2)), minute = base::number<unsigned>(time.substr(3, 2)),
               second = base::number<unsigned>(time.substr(6, 2));
    const auto offset = numeric_zone(parts[2]);
    if (!hour || !minute || !second || !offset) return std::nullopt;
    clock.hour = static_cast<int>(*hour);
    clock.minute = static_cast<int>(*minute);
    clock.second = static_cast<int>(*second);
    clock.offset = *offset;
    return to_date(clock);
}

std::string write_imap_date(Date date)
{
    const int64_t local = date.unix_seconds + date.offset_minutes * int64_t{60};
    const int64_t day = day_of(date), second = local - day * 86400;
    const CivilDay civil = civil_from_days(day);
    const int offset = date.offset_minutes < 0 ? -date.offset_minutes : date.offset_minutes;
    return fmt::format("{:2}-{}-{:04} {:02}:{:02}:{:02} {}{:02}{:02}", civil.day,
                       months[static_cast<size_t>(civil.month - 1)], civil.year, second / 3600, second / 60 % 60,
                       second % 60, date.offset_minutes < 0 ? '-' : '+', offset / 60, offset % 60);
}

std::optional<int64_t> parse_imap_day(std::string_view text)
{
    Clock clock;
    if (!read_imap_day(text, clock) || !to_date(clock)) return std::nullopt;
    return days_from_civil(clock.year, clock.month, clock.day);
}

} // namespace mail
