// date: RFC 5322's and RFC 9051's examples, obsolete forms, and dates that are none.
#include "catch.h"

#include "base/clock.h"
#include "mail/date.h"
#include "mail/message_id.h"

using mail::Date;

TEST_CASE("dates of headers", "[mail]")
{
    struct Case {
        std::string_view text;
        int64_t seconds;
        int offset;
    };
    const Case cases[] = {
        {"Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360},
        {"Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120},
        {"Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 (Newfoundland Time)",
         -27723480, -210},
        {"21 Nov 97 09:55:06 GMT", 880106106, 0},
        {"Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360},
        {"1 Jan 70 00:00 UT", 0, 0},
        {"1 Jan 1970 00:00:00 EST", 18000, -300},
        {"1 Jan 1970 09:00:00 KST", 0, 540},
        {"1 Jan 1970 00:00:00 A", 0, 0},
        {"1 Jan 1970 00:00:00", 0, 0},
        {"Thu Jan  1 00:00:10 1970", 10, 0},
        {"Thu, 01 Jan 1970 00:00:00 +0000 (UTC)", 0, 0},
        {"1 January 1970 00:00:00 +0000", 0, 0},
        {"29 Feb 2000 00:00:00 +0000", 951782400, 0},
        {"1 Jan 49 00:00:00 +0000", 2493072000, 0},
        {"1 Jan 103 00:00:00 +0000", 1041379200, 0},
        {"31 Dec 1998 23:59:60 +0000", 915148800, 0},
        {"19 Jan 2038 03:14:08 +0000", 2147483648, 0},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        const auto date = mail::parse_date(each.text);
        REQUIRE(date);
        CHECK(date->unix_seconds == each.seconds);
        CHECK(date->offset_minutes == each.offset);
    }
    for (std::string_view bad :
         {"", "now", "Fri", "31 Feb 2000 00:00:00 +0000", "29 Feb 1900 00:00:00 +0000", "1 Foo 2000 00:00",
          "0 Jan 2000 00:00", "1 Jan 2000 24:00", "1 Jan 2000 00:60", "1 Jan 2000", "1 Jan 2000 00",
          "1 Jan 2000 00:00:61", "1 Jan 99999 00:00", "1 Jan 0000 00:00", "-1 Jan 2000 00:00", "1 Jan 2000 0:0:", "(((",
          "\\", "1 Jan 2 00:00"}) {
        CAPTURE(bad);
        CHECK_FALSE(mail::parse_date(bad));
    }
}

TEST_CASE("dates of IMAP", "[mail]")
{
    CHECK(mail::parse_imap_date("17-Jul-1996 02:44:25 -0700") == Date{837596665, -420});
    CHECK(mail::parse_imap_date(" 1-Jan-1970 00:00:00 +0000") == Date{0, 0});
    CHECK(mail::parse_imap_date("01-jan-1970 00:00:00 +0000") == Date{0, 0});
    CHECK(mail::write_imap_date({837596665, -420}) == "17-Jul-1996 02:44:25 -0700");
    CHECK(mail::write_imap_date({0, 0}) == " 1-Jan-1970 00:00:00 +0000");
    for (std::string_view bad :
         {"", "17-Jul-1996", "17-Jul-96 02:44:25 -0700", "17-July-1996 02:44:25 -0700", "32-Jul-1996 02:44:25 -0700",
          "17-Jul-1996 2:44:25 -0700", "17-Jul-1996 02:44:25", "17-Jul-1996 02:44:25 GMT",
          "17-Jul-1996  02:44:25 -0700", "17-Jul-1996 02:44:25 -0760", "+7-Jul-1996 02:44:25 -0700"}) {
        CAPTURE(bad);
        CHECK_FALSE(mail::parse_imap_date(bad));
    }
    CHECK(mail::parse_imap_day("1-Feb-1994") == 8797);
    CHECK(mail::parse_imap_day("01-Jan-1970") == 0);
    CHECK_FALSE(mail::parse_imap_day("30-Feb-1994"));
    CHECK(mail::day_of({0, -60}) == -1);
    CHECK(mail::day_of({86399, 60}) == 1);
}

TEST_CASE("dates round", "[mail]")
{
    CHECK(mail::write_date({1057049557, 120}) == "Tue, 1 Jul 2003 10:52:37 +0200");
    for (int64_t seconds : {int64_t{0}, int64_t{-1}, int64_t{951782399}, int64_t{4102444800}, int64_t{-62135596800},
                            int64_t{253402300799}})
        for (int offset : {0, 540, -210, 840, -720}) {
            const Date date{seconds, offset};
            const int64_t local = seconds + offset * 60;
            if (local < -62135596800 || local > 253402300799) continue;
            CAPTURE(seconds, offset);
            CHECK(mail::parse_date(mail::write_date(date)) == date);
            CHECK(mail::parse_imap_date(mail::write_imap_date(date)) == date);
        }
    for (int64_t day = -800000; day < 800000; day += 13) {
        const auto civil = mail::civil_from_days(day);
        if (mail::days_from_civil(civil.year, civil.month, civil.day) != day) FAIL("day " << day);
    }
}

TEST_CASE("message ids", "[mail]")
{
    const base::Wall when{std::chrono::seconds(1057049557)};
    CHECK(mail::make_message_id(when, "4bXY12", "mx.example.com") == "<20030701085237.4bXY12@mx.example.com>");
    CHECK(mail::parse_message_ids("<a@b> (comment <x@y>)\r\n <c@\r\n d> junk \"<q@r>\" <e@f") ==
          std::vector<std::string>{"<a@b>", "<c@d>"});
    CHECK(mail::parse_message_ids("<>").empty());
    CHECK(mail::parse_message_ids("<a@b><c@d>", 1).size() == 1);
}
