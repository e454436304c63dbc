// The words of IMAP's grammar: what is taken, what is refused, and how sets of messages are read.
#include "catch.h"

#include "arguments.h"

using imapd::Arguments;
using imapd::Bad;
using imapd::Interval;

TEST_CASE("atoms, strings and literals are read", "[imapd]")
{
    struct Case {
        std::string_view text, value, rest;
    };
    const Case cases[] = {
        {"INBOX", "INBOX", ""},
        {"a]b c", "a]b", " c"},
        {"\"\"", "", ""},
        {"\"a b\" x", "a b", " x"},
        {"\"a\\\"b\\\\c\"", "a\"b\\c", ""},
        {"{0}\r\n", "", ""},
        {"{5}\r\nhello", "hello", ""},
        {"{5+}\r\na\r\nb) x", "a\r\nb)", " x"},
        {"{2}\r\n\xff\xfe", "\xff\xfe", ""},
        {"\"\xea\xb0\x80\"", "\xea\xb0\x80", ""},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        Arguments arguments(c.text);
        CHECK(arguments.astring() == c.value);
        CHECK(arguments.rest() == c.rest);
    }
}

TEST_CASE("strings that are none are refused", "[imapd]")
{
    for (std::string_view text :
         {"",          " ",  "(",   "\"",      "\"abc",       "\"a\\b\"", "\"a\r\nb\"",   "{",
          "{}",        "{5", "{5}", "{5}\r\n", "{5}\r\nhell", "{-1}\r\n", "{5+\r\nhello", "{99999999999999999999}\r\nx",
          "{1 }\r\nx", "%",  "*",   "\\"}) {
        CAPTURE(text);
        Arguments arguments(text);
        CHECK_THROWS_AS(arguments.astring(), Bad);
    }
    std::string_view nul("{3}\r\na\0b", 8);
    Arguments arguments(nul);
    CHECK_THROWS_AS(arguments.astring(), Bad);
    Arguments quoted(std::string_view("\"a\0b\"", 5));
    CHECK_THROWS_AS(quoted.astring(), Bad);
}

TEST_CASE("tags, atoms and numbers have their own letters", "[imapd]")
{
    CHECK(Arguments("a001 NOOP").tag() == "a001");
    CHECK(Arguments("]x").tag() == "]x");
    CHECK_THROWS_AS(Arguments("+ NOOP").tag(), Bad);
    CHECK_THROWS_AS(Arguments("(").tag(), Bad);
    CHECK(Arguments("abc]").atom() == "abc");
    CHECK_THROWS_AS(Arguments("{3}").atom(), Bad);
    CHECK_THROWS_AS(Arguments("\x7f").atom(), Bad);
    CHECK_THROWS_AS(Arguments("\xc3\xa4").atom(), Bad);
    CHECK(Arguments("4294967295").number() == 4294967295u);
    CHECK(Arguments("0").number() == 0);
    CHECK_THROWS_AS(Arguments("4294967296").number(), Bad);
    CHECK_THROWS_AS(Arguments("x").number(), Bad);
    CHECK_THROWS_AS(Arguments("0").nz_number(), Bad);
    CHECK(Arguments("18446744073709551615").number64() == UINT64_MAX);
    CHECK(Arguments("nil").nstring() == std::nullopt);
    CHECK(Arguments("\"NIL\"").nstring() == "NIL");
    CHECK_THROWS_AS(Arguments("NILS").nstring(), Bad);
}

TEST_CASE("the end allows spaces and nothing else", "[imapd]")
{
    Arguments("").end();
    Arguments("  ").end();
    CHECK_THROWS_AS(Arguments(" x").end(), Bad);
}

TEST_CASE("keywords are whole words in any case", "[imapd]")
{
    Arguments arguments("header.fields.not (");
    CHECK(!arguments.skip_keyword("HEADER.FIELDS"));
    CHECK(arguments.skip_keyword("HEADER.FIELDS.NOT"));
    CHECK(arguments.rest() == " (");
}

TEST_CASE("sequence sets", "[imapd]")
{
    struct Case {
        std::string_view text;
        std::vector<Interval> parts;
    };
    const Case cases[] = {
        {"1", {{1, 1}}},   {"1,3:5", {{1, 1}, {3, 5}}},
        {"*", {{0, 0}}},   {"5:*,2", {{5, 0}, {2, 2}}},
        {"*:7", {{0, 7}}}, {"4294967295", {{4294967295u, 4294967295u}}},
    };
    for (const auto& c : cases) {
        CAPTURE(c.text);
        CHECK(Arguments(c.text).sequence_set().parts == c.parts);
    }
    for (std::string_view text : {"", "0", "1,", ",1", "1:", ":1", "a", "1:0", "4294967296", "**:", "1,,2"}) {
        CAPTURE(text);
        auto read = [&] {
            Arguments arguments(text);
            arguments.sequence_set();
            arguments.end();
        };
        CHECK_THROWS_AS(read(), Bad);
    }
}

TEST_CASE("sequence sets are resolved into ascending intervals", "[imapd]")
{
    auto resolved = [](std::string_view text, uint32_t largest) {
        return Arguments(text).sequence_set().resolved(largest);
    };
    CHECK(resolved("5:3", 10) == std::vector<Interval>{{3, 5}});
    CHECK(resolved("559:*", 10) == std::vector<Interval>{{10, 559}});
    CHECK(resolved("2,4:7,9,12:*", 15) == std::vector<Interval>{{2, 2}, {4, 7}, {9, 9}, {12, 15}});
    CHECK(resolved("*:4,5:7", 10) == std::vector<Interval>{{4, 10}});
    CHECK(resolved("3,1,2", 10) == std::vector<Interval>{{1, 3}});
    CHECK(resolved("1:4294967295,7", 10) == std::vector<Interval>{{1, 4294967295u}});
    auto set = resolved("2,4:7", 10);
    for (uint32_t n : {2u, 4u, 7u}) CHECK(imapd::contains(set, n));
    for (uint32_t n : {0u, 1u, 3u, 8u}) CHECK(!imapd::contains(set, n));
    const uint32_t numbers[] = {304, 319, 320, 321, 5};
    CHECK(imapd::write_set(numbers) == "304,319:321,5");
}

TEST_CASE("flag lists", "[imapd]")
{
    auto flags = Arguments("(\\Seen \\deleted $Junk NonJunk \\Recent)").flag_list(true);
    CHECK(flags.system == (store::flag::seen | store::flag::deleted));
    CHECK(flags.keywords == std::vector<std::string>{"$Junk", "NonJunk"});
    CHECK(Arguments("()").flag_list(true).system == 0);
    CHECK(Arguments("\\Flagged \\Draft").flag_list(false).system == (store::flag::flagged | store::flag::draft));
    for (std::string_view text :
         {"(", "(\\Seen", "\\Seen", "(\\Unknown)", "(\\)", "( \\Seen)", "(\\Seen  \\Draft)", "(\\Seen )"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(Arguments(text).flag_list(true), Bad);
    }
}

TEST_CASE("mailbox names are modified UTF-7, and INBOX any case", "[imapd]")
{
    CHECK(Arguments("inBox").mailbox() == "INBOX");
    CHECK(Arguments("\"Sent Items\"").mailbox() == "Sent Items");
    CHECK(Arguments("~peter/mail/&U,BTFw-/&ZeVnLIqe-").mailbox() == "~peter/mail/\u53f0\u5317/\u65e5\u672c\u8a9e");
    CHECK(Arguments("R&-D").mailbox() == "R&D");
    CHECK_THROWS_AS(Arguments("R&D").mailbox(), Bad);
    CHECK_THROWS_AS(Arguments("&&&").mailbox(), Bad);
    CHECK_THROWS_AS(Arguments("\"\xff\"").mailbox(), Bad);
    CHECK(Arguments("\"\"").list_mailbox().empty());
    CHECK(Arguments("%/foo*").list_mailbox() == "%/foo*");
    CHECK_THROWS_AS(Arguments("\"" + std::string(2000, '*') + "\"").list_mailbox(), Bad);
}

TEST_CASE("dates", "[imapd]")
{
    CHECK(Arguments("1-Feb-1994").date() == mail::days_from_civil(1994, 2, 1));
    CHECK(Arguments("\"01-Feb-1994\"").date() == mail::days_from_civil(1994, 2, 1));
    CHECK_THROWS_AS(Arguments("1-Foo-1994").date(), Bad);
    CHECK_THROWS_AS(Arguments("31-Feb-1994").date(), Bad);
    CHECK(Arguments("\"17-Jul-1996 02:44:25 -0700\"").date_time().unix_seconds == 837596665);
    CHECK_THROWS_AS(Arguments("\"yesterday\"").date_time(), Bad);
}

TEST_CASE("the head of a literal is found at the end of a line only", "[imapd]")
{
    CHECK(imapd::literal_head("a APPEND x {12}")->size == 12);
    CHECK(imapd::literal_head("a APPEND x {12}")->start == 11);
    CHECK(imapd::literal_head("{3+}")->synchronizing == false);
    CHECK(imapd::literal_head("{99999999999999999999}")->size == UINT64_MAX);
    for (std::string_view line : {"", "}", "{}", "{+}", "{a}", "{1} ", "1}", "{1", "{-1}", "{1++}", "\"{1}\""}) {
        CAPTURE(line);
        CHECK(!imapd::literal_head(line));
    }
}
