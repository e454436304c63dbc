// Text: words, cuts, numbers, and what may stand in a log line.
#include "base/text.h"

#include "base/checksum.h"
#include "base/clock.h"
#include "base/random.h"
#include "catch.h"

#include <set>

using Views = std::vector<std::string_view>;

TEST_CASE("words are compared without ASCII case, and without the locale", "[base]")
{
    CHECK(base::lower("MiXed \xC4") == "mixed \xC4");
    CHECK(base::upper("MiXed \xE4") == "MIXED \xE4");
    CHECK(base::same_word("Received", "RECEIVED"));
    CHECK_FALSE(base::same_word("Received", "Receive"));
    CHECK_FALSE(base::same_word("[", "{"));     // 0x20 apart, but no letters
    CHECK_FALSE(base::same_word("@", "`"));
    CHECK(base::starts_with_word("Resent-To", "RESENT-"));
    CHECK_FALSE(base::starts_with_word("Re", "Resent"));
    CHECK(base::ends_with_word("mail.EXAMPLE.org", ".example.org"));
    CHECK(base::find_word("a Needle here", "nEEDLE") == 2);
    CHECK(base::find_word("aaa", "A", 1) == 1);
    CHECK(base::find_word("aaa", "b") == std::string_view::npos);
    CHECK(base::find_word("a", "a", 5) == std::string_view::npos);
    CHECK(base::find_word("ab", "") == 0);
}

TEST_CASE("text is trimmed, split and cut", "[base]")
{
    CHECK(base::trim(" \t x y \r\n") == "x y");
    CHECK(base::trim(" \n") == "");
    CHECK(base::split(" a, b,,c\t") == Views{"a", "b", "c"});
    CHECK(base::split("").empty());
    CHECK(base::split(",,, ").empty());
    CHECK(base::split_exact("a,,b,", ',') == Views{"a", "", "b", ""});
    CHECK(base::split_exact("", ',') == Views{""});
    auto cut = base::cut("a=b=c", '=');
    CHECK((cut.before == "a" && cut.after == "b=c" && cut.found));
    cut = base::cut("abc", '=');
    CHECK((cut.before == "abc" && cut.after.empty() && !cut.found));
    cut = base::cut_last("a@b@c", '@');
    CHECK((cut.before == "a@b" && cut.after == "c" && cut.found));
    CHECK(base::join({"a", "b", "a"}, ", ") == "a, b, a");
    CHECK(base::join({}, ", ").empty());
    CHECK(base::join({"", ""}, "-") == "-");
    CHECK(base::replace_all("aXbXX", "X", "yX") == "ayXbyXyX");
    CHECK(base::replace_all("abc", "", "x") == "abc");
    CHECK(base::replace_all("aaa", "aa", "b") == "ba");
}

TEST_CASE("numbers are whole or nothing", "[base]")
{
    CHECK(base::number<int>("42") == 42);
    CHECK(base::number<int>("-42") == -42);
    CHECK(base::number<uint32_t>("4294967295") == UINT32_MAX);
    CHECK(base::number<unsigned>("755", 8) == 0755u);
    CHECK(base::number<int64_t>("-9223372036854775808") == INT64_MIN);
    for (const char* text : {"", " 1", "1 ", "+1", "1x", "0x1", "--1", "4294967296", "-1"}) {
        CAPTURE(text);
        CHECK_FALSE(base::number<uint32_t>(text));
    }
}

TEST_CASE("UTF-8 is what RFC 3629 says", "[base]")
{
    for (const char* good : {"", "abc", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF"}) {
        CAPTURE(good);
        CHECK(base::is_utf8(good));
    }
    for (const char* bad : {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2" "a", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xED\xBF\xBF", "\xE2\x82",
                            "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xFF", "a\x80z"}) {
        CAPTURE(bad);
        CHECK_FALSE(base::is_utf8(bad));
        CHECK(base::is_utf8(base::printable(bad)));
    }
    CHECK(base::is_ascii("abc\x7f"));
    CHECK_FALSE(base::is_ascii("\x80"));
}

TEST_CASE("nothing printable controls a terminal or forges a line", "[base]")
{
    struct Case {
        std::string in, out;
    };
    Case cases[] = {
        {"plain text", "plain text"},
        {"two\r\nlines", "two??lines"},
        {std::string("nul\0", 4), "nul?"},
        {"tab\tbell\aescape\x1b[0m\x7f", "tab?bell?escape?[0m?"},
        {"gr\xC3\xBC\xC3\x9F", "gr\xC3\xBC\xC3\x9F"},
        {"latin \xFC", "latin ?"},
        {"half \xC3", "half ?"},
        // C1 control characters: CSI and NEL.
        {"csi \xC2\x9B" "0m nel \xC2\x85", "csi ?0m nel ?"},
        {"\xC2\xA0", "\xC2\xA0"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.in);
        CHECK(base::printable(c.in) == c.out);
    }
    CHECK(base::printable(std::string(5000, 'x')).size() == 1000);
    CHECK(base::printable(std::string(5000, 'x'), 10).size() == 10);
    for (int i = 0; i < 1000; ++i) {
        std::string noise = base::printable(base::random_bytes(50));
        REQUIRE(base::is_utf8(noise));
        REQUIRE(noise.find_first_of("\r\n\t\x1b") == std::string::npos);
    }
}

TEST_CASE("clipping keeps characters whole", "[base]")
{
    CHECK(base::clip("first\r\nsecond", 100) == "first");
    CHECK(base::clip("abcdef", 3) == "abc");
    CHECK(base::clip("ab\xC3\xBC", 3) == "ab");
    CHECK(base::clip("ab\xC3\xBC", 4) == "ab\xC3\xBC");
    CHECK(base::clip("\xBF\xBF\xBF", 2) == "");
    CHECK(base::clip("", 0) == "");
}

TEST_CASE("base64, hexadecimal and xtext go there and back", "[base]")
{
    for (int i = 0; i < 500; ++i) {
        std::string bytes = base::random_bytes(base::random_below(40));
        REQUIRE(base::from_base64(base::to_base64(bytes)) == bytes);
        REQUIRE(base::from_hex(base::to_hex(bytes)) == bytes);
        REQUIRE(base::from_xtext(base::to_xtext(bytes)) == bytes);
    }
    // RFC 4648 10.
    const char* vectors[][2] = {{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}};
    for (auto& [plain, coded] : vectors) {
        CHECK(base::to_base64(plain) == coded);
        CHECK(base::from_base64(coded) == plain);
    }
    for (const char* bad : {"Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zg==Zg==", "Zm9v ", "Zm9v\n", "Zm=v", "Zm-_", "=Zg="}) {
        CAPTURE(bad);
        CHECK_FALSE(base::from_base64(bad));
    }
    CHECK(base::to_hex("\x01\xFE") == "01fe");
    CHECK(base::from_hex("01FE") == "\x01\xFE");
    for (const char* bad : {"0", "0g", "g0", "0 ", "0x01"}) CHECK_FALSE(base::from_hex(bad));
    CHECK(base::to_xtext("a+b=c d") == "a+2Bb+3Dc+20d");
    CHECK(base::from_xtext("user+40example.org") == "user@example.org");
    for (const char* bad : {"+", "+4", "+4g", "a b", "a=b", "\x7f", "\xC3\xBC", "+ 4", "x+4"}) {
        CAPTURE(bad);
        CHECK_FALSE(base::from_xtext(bad));
    }
}

TEST_CASE("checksums are CRC-32, in one piece or several", "[base]")
{
    CHECK(base::crc32("") == 0);
    CHECK(base::crc32("123456789") == 0xCBF43926);
    CHECK(base::crc32("6789", base::crc32("12345")) == 0xCBF43926);
    CHECK(base::crc32(std::string_view("\0\0", 2)) != base::crc32(std::string_view("\0", 1)));
}

TEST_CASE("random values differ and keep their bounds", "[base]")
{
    CHECK(base::random_bytes(0).empty());
    CHECK(base::random_bytes(100000).size() == 100000);
    std::set<std::string> tokens;
    for (int i = 0; i < 200; ++i) {
        std::string token = base::random_token(12);
        CHECK(token.size() == 12);
        CHECK(std::all_of(token.begin(), token.end(), base::is_alnum));
        tokens.insert(token);
        CHECK(base::random_below(3) < 3);
        CHECK(base::random_below(1) == 0);
    }
    CHECK(tokens.size() == 200);
}

TEST_CASE("dates of mail and log", "[base]")
{
    ::setenv("TZ", "UTC0", 1);
    ::tzset();
    base::Wall when{std::chrono::seconds(1'700'000'000)};
    CHECK(base::mail_date(when) == "Tue, 14 Nov 2023 22:13:20 +0000 (UTC)");
    CHECK(base::log_date(when) == "Nov 14 22:13:20");
    CHECK(base::log_date(base::Wall{}) == "Jan  1 00:00:00");
    CHECK(base::unix_seconds(when) == 1'700'000'000);
    ::setenv("TZ", "XST3:30", 1);
    ::tzset();
    CHECK(base::mail_date(when) == "Tue, 14 Nov 2023 18:43:20 -0330 (XST)");
    ::setenv("TZ", "YST-0:30", 1);
    ::tzset();
    CHECK(base::mail_date(when) == "Tue, 14 Nov 2023 22:43:20 +0030 (YST)");
    ::setenv("TZ", "ZST0:30", 1);
    ::tzset();
    CHECK(base::mail_date(when) == "Tue, 14 Nov 2023 21:43:20 -0030 (ZST)");
    ::unsetenv("TZ");
    ::tzset();
}
