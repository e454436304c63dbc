// encoded_word: RFC 2047's and 2231's examples, Korean in all its character sets, and what broken senders write.
#include "catch.h"

#include "base/text.h"
#include "mail/charset.h"
#include "mail/encoded_word.h"

using mail::decode_words;
using mail::Parameter;

namespace {

// "한글" and "안녕하세요"
const std::string hangul = "\xed\x95\x9c\xea\xb8\x80";
const std::string hello = "\xec\x95\x88\xeb\x85\x95\xed\x95\x98\xec\x84\xb8\xec\x9a\x94";

} // namespace

TEST_CASE("encoded words", "[mail]")
{
    struct Case {
        std::string_view raw, text;
    };
    const Case cases[] = {
        // RFC 2047 8
        {"=?ISO-8859-1?Q?a?=", "a"},
        {"=?ISO-8859-1?Q?a?= b", "a b"},
        {"=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=", "ab"},
        {"=?ISO-8859-1?Q?a?=  \r\n  =?ISO-8859-1?Q?b?=", "ab"},
        {"=?ISO-8859-1?Q?a_b?=", "a b"},
        {"=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=", "a b"},
        {"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"},
        {"=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?=", "Keld J\xc3\xb8rn Simonsen"},
        {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?= =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
         "If you can read this you understand the example."},
        {"=?utf-8*en?q?a?=", "a"},
        {"x=?utf-8?q?a?=y", "xay"},
        {"=?utf-8?q?a?==?utf-8?q?b?=", "ab"},
        {"=?utf-8?q?=EA=B0?= =?utf-8?q?=80?=", "\xea\xb0\x80"},
        {"=?utf-8?b?6rA=?= =?utf-8?b?gA==?=", "\xea\xb0\x80"},
        {"=?utf-8?q?a b?=", "a b"},
        {"=?utf-8?q?a=zz=?=", "a=zz="},
        {"=?utf-8?q?a=0Ab?=", "a b"},
        {"=?x-nonsense?q?a?= =?x-nonsense?q?b?=", "=?x-nonsense?q?a?= =?x-nonsense?q?b?="},
        {"=?utf-8?q?a?= =?x-nonsense?q?b?=", "a =?x-nonsense?q?b?="},
        {"=?utf-8?x?a?=", "=?utf-8?x?a?="},
        {"=?utf-8?q?a", "=?utf-8?q?a"},
        {"=?=?=?=", "=?=?=?="},
        {"=?utf-8?q?"
         "?= x",
         " x"},
        {"plain\r\n text", "plain text"},
        {"", ""},
    };
    for (const Case& each : cases) {
        CAPTURE(each.raw);
        CHECK(decode_words(each.raw) == each.text);
    }
}

TEST_CASE("Korean in headers", "[mail]")
{
    struct Case {
        std::string_view raw;
        std::string text;
    };
    const Case cases[] = {
        {"=?EUC-KR?B?x9Gx2w==?=", hangul},
        {"=?ks_c_5601-1987?B?x9Gx2w==?=", hangul},
        {"=?CP949?Q?=C7=D1=B1=DB?=", hangul},
        {"=?cp949?B?jGM=?=", "\xeb\x98\xa0"}, // a syllable that EUC-KR itself lacks
        {"=?euc-kr?B?jGM=?=", "\xeb\x98\xa0"},
        {"=?ISO-2022-KR?B?GyQpQw5HUTFbDw==?=", hangul},
        {"=?ISO-2022-KR?B?DkdRMVsP?=", hangul}, // without its designator
        {"=?utf-8?B?7ZWc6riA?= <a@b>", hangul + " <a@b>"},
        {"\xc7\xd1\xb1\xdb", hangul},         // raw EUC-KR
        {"\xed\x95\x9c\xea\xb8\x80", hangul}, // raw UTF-8
        {"caf\xe9", "caf\xc3\xa9"},           // raw Latin-1
        {"=?euc-kr?B?vsiz58fP?= =?euc-kr?B?vLy/5A==?=", hello},
        {"=?euc-kr?B?vsiz58c=?= =?euc-kr?B?z7y8v+Q=?=", hello}, // cut inside a character
    };
    for (const Case& each : cases) {
        CAPTURE(each.raw);
        CHECK(decode_words(each.raw) == each.text);
    }
}

TEST_CASE("character sets", "[mail]")
{
    CHECK(mail::known_charset("EUC-KR"));
    CHECK(mail::known_charset(" utf-8 "));
    for (std::string_view bad : {"", "nonsense", "utf-8,swaplfnl", "../x", "euc kr", "a%n"})
        CHECK_FALSE(mail::known_charset(bad));
    for (std::string_view charset : {"euc-kr", "cp949", "iso-2022-kr", "utf-16", "utf-8"}) {
        CAPTURE(charset);
        const auto bytes = mail::from_utf8(hello, charset);
        REQUIRE(bytes);
        CHECK(mail::to_utf8(*bytes, charset) == hello);
    }
    CHECK(mail::to_utf8("\x1b$)C\x0eGQ1[\x0f", "ISO-2022-KR") == hangul);
    CHECK(mail::to_utf8("\xc7", "euc-kr") == "\xef\xbf\xbd");
    CHECK(mail::to_utf8("a\xff"
                        "b",
                        "utf-8") == "a\xef\xbf\xbd"
                                    "b");
    CHECK(mail::to_utf8(hangul, "utf-8", 4) == hangul.substr(0, 3));
    CHECK_FALSE(mail::to_utf8("a", "nonsense"));
    CHECK_FALSE(mail::from_utf8(hello, "iso-8859-1"));
    CHECK(mail::from_utf8("\xc3\xa9", "iso-8859-1") == "\xe9");
}

TEST_CASE("what is encoded comes back", "[mail]")
{
    const std::string longer = [] {
        std::string out;
        for (int i = 0; i < 40; ++i) out += hello + " x";
        return out;
    }();
    for (const std::string& text : {hangul, hello, longer, std::string("J\xc3\xb8rn Simonsen of somewhere"),
                                    std::string("a=b?c_d\xc3\xa9"), std::string(" \xc3\xa9 ")}) {
        const std::string words = mail::encode_words(text);
        CHECK(decode_words(words) == text);
        CHECK(base::is_ascii(words));
        for (std::string_view word : base::split(words, " ")) CHECK(word.size() <= 75);
    }
    // Q where most of it can be read as it is.
    CHECK(mail::encode_words("J\xc3\xb8rn Simonsen of somewhere").substr(0, 10) == "=?utf-8?Q?");
}

TEST_CASE("parameters", "[mail]")
{
    struct Case {
        std::string_view text;
        std::vector<Parameter> parameters;
    };
    const Case cases[] = {
        {"; charset=us-ascii", {{"charset", "us-ascii"}}},
        {"; charset=us-ascii (Plain text)", {{"charset", "us-ascii"}}},
        {"; charset=\"us-ascii\"; format=flowed", {{"charset", "us-ascii"}, {"format", "flowed"}}},
        {";CHARSET = x ; ; b=\"a\\\"b;c\"", {{"charset", "x"}, {"b", "a\"b;c"}}},
        {"; name=my file.txt; x=y", {{"name", "my file.txt"}, {"x", "y"}}},
        {"; name=\"folded\r\n name\"", {{"name", "folded name"}}},
        {"; name", {}},
        {"; =x; a=b", {{"a", "b"}}},
        {"; a=", {{"a", ""}}},
        {"; a=\"unterminated", {{"a", "unterminated"}}},
        {"", {}},
        // RFC 2231 3, 4, 4.1
        {"; access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub/\"",
         {{"access-type", "URL"}, {"url", "ftp://cs.utk.edu/pub/"}}},
        {"; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", {{"title", "This is ***fun***"}}},
        {"; title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
         {{"title", "This is even more ***fun*** isn't it!"}}},
        {"; title*1=b; title*0=a", {{"title", "ab"}}},
        {"; title*0=a; title*2=c", {{"title", "a"}}},
        {"; filename*=euc-kr''%C7%D1%B1%DB.txt", {{"filename", hangul + ".txt"}}},
        {"; filename=\"=?EUC-KR?B?x9Gx2w==?=.txt\"", {{"filename", hangul + ".txt"}}},
        {"; filename=\"\xc7\xd1\xb1\xdb.txt\"", {{"filename", hangul + ".txt"}}},
        {"; filename=fallback.txt; filename*=utf-8''%ED%95%9C%EA%B8%80", {{"filename", hangul}}},
        {"; filename*=nonsense''%41", {{"filename", "A"}}},
        {"; filename*=utf-8''%4", {{"filename", "%4"}}},
    };
    for (const Case& each : cases) {
        CAPTURE(each.text);
        CHECK(mail::parse_parameters(each.text) == each.parameters);
    }
    CHECK(mail::parse_raw_parameters("; t*0*=us-ascii'en'a; t*1=b") ==
          std::vector<Parameter>{{"t*0*", "us-ascii'en'a"}, {"t*1", "b"}});
    std::string many;
    for (int i = 0; i < 5000; ++i) many += ";a" + std::to_string(i) + "=b";
    CHECK(mail::parse_parameters(many).size() == 200);
}

TEST_CASE("writing parameters", "[mail]")
{
    CHECK(mail::write_parameter("charset", "utf-8") == "charset=utf-8");
    CHECK(mail::write_parameter("name", "a b\"c") == "name=\"a b\\\"c\"");
    CHECK(mail::write_parameter("filename", hangul + ".txt") == "filename*=utf-8''%ED%95%9C%EA%B8%80.txt");
    for (const std::string& value : {std::string("a b"), hangul, std::string("a\"\\;=")})
        CHECK(mail::parse_parameters("; x=y; " + mail::write_parameter("name", value))[1].value == value);
}

TEST_CASE("hostile words cost linear time", "[mail]")
{
    for (std::string_view piece : {"=?", "=?a?q?", "=?utf-8?q?", "=?utf-8?q?a?= ", "=?x?q?a?= ", "?=", "=?utf-8?b?/"}) {
        std::string value;
        while (value.size() < 100000) value += piece;
        CHECK(decode_words(value).size() <= 4 * value.size());
    }
}
