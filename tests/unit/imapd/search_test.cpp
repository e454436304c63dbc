// SEARCH: its grammar, and what it finds, Korean too.
#include "catch.h"

#include "search.h"
#include "talk.h"

using imapd::Arguments;
using imapd::Bad;
using imapd::SearchKey;

namespace {

SearchKey parsed(std::string_view text)
{
    Arguments arguments(text);
    return imapd::parse_search(arguments, 1'000'000);
}

const std::string plain = "From: Anna Smith <anna@example.org>\r\nTo: bob@example.com\r\nCc: carol@example.net\r\n"
                          "Subject: Meeting on Monday\r\nMessage-ID: <1@example.org>\r\n"
                          "Date: Mon, 7 Feb 1994 23:52:25 -0800\r\n\r\nSee you in the Garden.\r\n";
// Subject "회의 안건", body "내일 서울에서 만나요" in EUC-KR, base64.
const std::string korean = "From: =?UTF-8?B?6rmA66+87IiY?= <kim@example.kr>\r\nSubject: =?EUC-KR?B?yLjAxyC+yLDH?=\r\n"
                           "Date: Tue, 1 Nov 2026 10:00:00 +0900\r\nContent-Type: text/plain; charset=euc-kr\r\n"
                           "Content-Transfer-Encoding: base64\r\n\r\ns7vAzyC8rb/vv6G8rSC4uLOqv+Q=\r\n";
const std::string parts =
    "From: dave@example.org\r\nSubject: parts\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    "--b\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Gr=C3=BC=\r\n=C3=9Fe\r\n--b\r\nContent-Type: image/png; name=garden.png\r\nContent-Transfer-Encoding: "
    "base64\r\n\r\n"
    "Z2FyZGVu\r\n--b--\r\n";

} // namespace

TEST_CASE("search keys are read", "[imapd]")
{
    for (std::string_view text :
         {" ALL", " 1:3,*", " (SEEN)", " NOT SEEN", " OR SEEN (FLAGGED 1)", " CHARSET UTF-8 TEXT {3}\r\nabc",
          " HEADER X-Y \"\"", " UID 1:*", " BEFORE 1-Feb-1994", " SENTON \"1-Feb-1994\"", " LARGER 5 SMALLER 10",
          " KEYWORD $Junk UNKEYWORD x", " OLDER 3 YOUNGER 4", " new old recent", " NOT NOT (OR (SEEN) DELETED)",
          " CHARSET us-ascii SUBJECT x", " SUBJECT a BODY b TEXT c FROM d TO e CC f BCC g"}) {
        CAPTURE(text);
        parsed(text);
    }
    for (std::string_view text : {"",
                                  " ",
                                  " FOO",
                                  " ()",
                                  " (SEEN",
                                  " SEEN)",
                                  " NOT",
                                  " OR SEEN",
                                  " SUBJECT",
                                  " BEFORE x",
                                  " LARGER x",
                                  " UID",
                                  " 0",
                                  " SEEN  SEEN",
                                  " CHARSET UTF-8",
                                  " CHARSET UTF-8 ",
                                  " HEADER x",
                                  " OLDER 0",
                                  " KEYWORD \\Seen",
                                  " SEEN ("}) {
        CAPTURE(text);
        CHECK_THROWS_AS(parsed(text), Bad);
    }
    CHECK_THROWS_AS(parsed(" CHARSET KLINGON ALL"), imapd::UnknownCharset);
}

TEST_CASE("cheap criteria are asked first", "[imapd]")
{
    auto key = parsed(" BODY x SUBJECT y LARGER 3 SEEN");
    REQUIRE(key.keys.size() == 4);
    for (int i = 0; i < 4; ++i) CHECK(key.keys[static_cast<size_t>(i)].cost() == i);
    CHECK(key.cost() == 3);
}

TEST_CASE("SEARCH finds what was asked for", "[imapd]")
{
    Home home;
    Talk talk(home);
    talk.until("login ");
    talk.command(append_of(plain, "INBOX (\\Seen) \"08-Feb-1994 10:00:00 +0000\""));
    talk.command(append_of(korean, "INBOX (\\Flagged $Work) \"01-Nov-2026 01:00:00 +0000\""));
    talk.command(append_of(parts, "INBOX (\\Deleted) \"02-Nov-2026 00:00:00 +0000\""));
    talk.command("SELECT INBOX");
    struct Case {
        std::string_view criteria, numbers;
    };
    const Case cases[] = {
        {"ALL", " 1 2 3"},
        {"SEEN", " 1"},
        {"UNSEEN", " 2 3"},
        {"NOT SEEN UNDELETED", " 2"},
        {"OR SEEN DELETED", " 1 3"},
        {"KEYWORD $Work", " 2"},
        {"UNKEYWORD $work", " 1 3"},
        {"KEYWORD unheard-of", ""},
        {"UNKEYWORD unheard-of", " 1 2 3"},
        {"2:*", " 2 3"},
        {"UID 3,1", " 1 3"},
        {"UID 99:*", " 3"},
        {"1:2 UID 2:3", " 2"},
        {"FROM smith", " 1"},
        {"FROM \"anna@\"", " 1"},
        {"TO bob CC carol", " 1"},
        {"BCC x", ""},
        {"SUBJECT \"meeting ON\"", " 1"},
        {"HEADER Message-ID \"\"", " 1"},
        {"HEADER Message-ID 1@example", " 1"},
        {"BODY garden", " 1"},
        {"BODY monday", ""},
        {"TEXT monday", " 1"},
        {"TEXT garden", " 1 3"},
        {"BODY {7+}\r\ngr\xc3\xbc\xc3\x9f"
         "e",
         " 3"},
        {"CHARSET ISO-8859-1 BODY {5+}\r\nGR\xdc\xdf"
         "E",
         " 3"},
        {"CHARSET UTF-8 SUBJECT {6+}\r\n\xed\x9a\x8c\xec\x9d\x98", " 2"},
        {"CHARSET EUC-KR SUBJECT {4+}\r\n\xc8\xb8\xc0\xc7", " 2"},
        {"CHARSET UTF-8 BODY {6+}\r\n\xec\x84\x9c\xec\x9a\xb8", " 2"},
        {"CHARSET EUC-KR TEXT {4+}\r\n\xbc\xad\xbf\xef", " 2"},
        {"FROM \"\xea\xb9\x80\xeb\xaf\xbc\"", " 2"},
        {"CHARSET UTF-8 BODY {6+}\r\n\xeb\xb6\x80\xec\x82\xb0", ""},
        {"BEFORE 8-Feb-1994", ""},
        {"ON 8-Feb-1994", " 1"},
        {"SINCE 9-Feb-1994", " 2 3"},
        {"SENTON 7-Feb-1994", " 1"},
        {"SENTBEFORE 8-Feb-1994", " 1"},
        {"SENTSINCE 1-Nov-2026", " 2"},
        {"LARGER 100000", ""},
        {"SMALLER 100000", " 1 2 3"},
        {"OLDER 2000000000", ""},
        {"YOUNGER 4000000000", " 1 2 3"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.criteria);
        CHECK(talk.command("SEARCH " + std::string(c.criteria)) ==
              "* SEARCH" + std::string(c.numbers) + "\r\nx OK SEARCH completed\r\n");
    }
    CHECK(talk.command("UID SEARCH DELETED") == "* SEARCH 3\r\nx OK SEARCH completed\r\n");
    CHECK(has(talk.command("SEARCH CHARSET KLINGON ALL"), "x NO [BADCHARSET (US-ASCII UTF-8)]"));
    CHECK(has(talk.command("SEARCH 4"), "x BAD"));
}
