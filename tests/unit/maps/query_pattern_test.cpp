// %-patterns, and the files of tables behind servers.
#include "catch.h"

#include "maps/client_file.h"
#include "maps/query_pattern.h"

namespace {

struct Case {
    const char *pattern, *value, *key;
    std::optional<std::string> expected;
};
const auto none = std::nullopt;

} // namespace

TEST_CASE("parts of keys and values", "[maps]")
{
    const std::vector<Case> cases = {
        {"a%%b", "x", "x", "a%b"},
        {"[%s]", "user@example.org", "user@example.org", "[user@example.org]"},
        {"%u at %d", "user@example.org", "user@example.org", "user at example.org"},
        {"%u", "alone", "alone", "alone"},
        {"%u", "@example.org", "@example.org", none},
        {"%d", "alone", "alone", none},
        {"%d", "user@", "user@", none},
        {"%d", "a@b@c", "a@b@c", "c"},
        {"%3.%2.%1", "u@mail.example.com", "u@mail.example.com", "mail.example.com"},
        {"%4", "u@mail.example.com", "u@mail.example.com", none},
        {"%1", "com", "com", none},
        // result_format: small letters are of the value, large ones of the key.
        {"%s for %S", "box@host", "user@example.org", "box@host for user@example.org"},
        {"smtp:[%d] %U %D %1", "box@host", "user@example.org", "smtp:[host] user example.org org"},
        {"%d", "no address", "user@example.org", none},
        {"%D", "box@host", "user", none},
    };
    for (const Case& each : cases) {
        CAPTURE(each.pattern, each.value, each.key);
        CHECK(maps::QueryPattern(each.pattern).fill(each.value, each.key) == each.expected);
    }
    for (const char* text : {"%", "%x", "%0", "100%", "%%%"}) {
        CAPTURE(text);
        CHECK_THROWS_AS(maps::QueryPattern(text), std::runtime_error);
    }
    auto doubled = [](std::string_view text) { return std::string(text) + std::string(text); };
    CHECK(maps::QueryPattern("'%u'").fill("a@b", "a@b", doubled) == "'aa'");
}

TEST_CASE("files of parameters", "[maps]")
{
    auto file = maps::ClientFile::parse("# comment\nhosts = a, b\n  c\nquery = SELECT x FROM y\n  WHERE z = '%s'\nempty =\ntimeout = 2m\nyes = yes\nbad = 5x\n", "x.cf");
    CHECK(file.list("hosts") == std::vector<std::string>{"a", "b", "c"});
    CHECK(file.text("query") == "SELECT x FROM y  WHERE z = '%s'");
    CHECK(file.find("empty") == "");
    CHECK(file.find("none") == std::nullopt);
    CHECK(file.number("timeout", 1, 1, 3600) == 120);
    CHECK(file.number("none", 7, 1, 10) == 7);
    CHECK(file.flag("yes", false));
    auto text_of = [&](auto work) -> std::string {
        try {
            work();
        } catch (const std::runtime_error& why) {
            return why.what();
        }
        return "";
    };
    CHECK(text_of([&] { file.number("bad", 1, 1, 10); }) == "x.cf, line 9: bad = 5x: expected a number from 1 to 10");
    CHECK(text_of([&] { file.number("timeout", 1, 1, 10); }) == "x.cf, line 7: timeout = 2m: expected a number from 1 to 10");
    CHECK(text_of([&] { file.flag("bad", true); }) == "x.cf, line 9: bad = 5x: expected yes or no");
    CHECK(text_of([] { maps::ClientFile::parse("a = b\n\nno sign\n", "y.cf"); }) == "y.cf, line 3: expected \"name = value\" instead of \"no sign\"");
    CHECK(text_of([] { maps::ClientFile::parse("two words = b\n", "y.cf"); }).starts_with("y.cf, line 1: expected"));
}
