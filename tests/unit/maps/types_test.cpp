// The table types that need no index: patterns, networks, combinations, and lists of tables.
#include "catch.h"
#include "temporary.h"

#include "maps/map.h"

#include <cstdlib>

namespace {

struct Case {
    const char *table, *key;
    std::optional<std::string> expected;
};

void check(const std::vector<Case>& cases)
{
    for (const Case& each : cases) {
        CAPTURE(each.table, each.key);
        CHECK(maps::open(each.table)->find(each.key) == each.expected);
    }
}

const auto none = std::nullopt;

} // namespace

TEST_CASE("small tables", "[maps]")
{
    ::setenv("MAPS_TEST", "there", 1);
    check({
        {"inline:{a=1, {b = c d}, {E = f=g}}", "A", "1"},
        {"inline:{a=1, {b = c d}}", "b", "c d"},
        {"inline:{{E = f=g}}", "e", "f=g"},
        {"inline:{a=1}", "c", none},
        {"static:x y", "any", "x y"},
        {"static:{ x y }", "", "x y"},
        {"environ:MAPS", "MAPS_TEST", "there"},
        {"environ:MAPS", "MAPS_NO_SUCH", none},
        {"unix:group.byname", "root", "root:x:0:"},
        {"proxy:unix:passwd.byname", "no-such-user-x", none},
        {"unix:passwd.byname", "", none},
        {"unionmap:{inline:{a=1},static:2}", "a", "1,2"},
        {"unionmap:{inline:{a=1},static:2}", "b", "2"},
        {"unionmap:{inline:{a=1},inline:{a=2}}", "b", none},
        {"pipemap:{inline:{a=1},inline:{1=2}}", "a", "2"},
        {"pipemap:{inline:{a=1},inline:{3=2}}", "a", none},
        {"randmap:{only}", "x", "only"},
    });
    auto passwd = maps::open("unix:passwd.byname")->find("Root");
    REQUIRE(passwd);
    CHECK(passwd->substr(0, 5) == "root:");
    CHECK_THROWS_AS(maps::open("fail:x")->find("a"), maps::Unavailable);
    CHECK_THROWS_AS(maps::open("unionmap:{static:1,fail:x}")->find("a"), maps::Unavailable);
}

TEST_CASE("names that are no tables", "[maps]")
{
    for (const char* name : {"", "hash", "nosuch:x", "inline:a=b", "inline:{}", "inline:{a}", "inline:{{a=b}", "unionmap:inline:", "unionmap:{}",
                             "pipemap:{nosuch:x}", "randmap:", "unix:shadow.byname", "proxy:nosuch:x"}) {
        CAPTURE(name);
        CHECK_THROWS_AS(maps::open(name), maps::Unavailable);
    }
    CHECK_THROWS_AS(maps::open("cidr:{a")->find("1.1.1.1"), maps::Unavailable);
    CHECK_THROWS_AS(maps::open("regexp:/no/such/file")->find("x"), maps::Unavailable);
}

TEST_CASE("regular expressions", "[maps]")
{
    check({
        {"regexp:{{/^a(b)?c$/ got-$1-${1}-$(1)-$$}}", "ABC", "got-B-B-B-$"},
        {"regexp:{{/^a(b)?c$/ got-$1-}}", "ac", "got--"},
        {"regexp:{{/^abc$/i x}}", "ABC", none},
        {"regexp:{{/a+/x x}}", "a+", "x"},
        {"regexp:{{/a+/x x}}", "aa", none},
        {"regexp:{{/(x|xyz)/ $1}}", "xyz", "xyz"},
        {"pcre:{{/(x|xyz)/ $1}}", "xyz", "x"},
        {"regexp:{{/^b/m x}}", "a\nb", "x"},
        {"regexp:{{/^b/ x}}", "a\nb", none},
        {"regexp:{{!/q/ no q}}", "abc", "no q"},
        {"regexp:{{!/q/ no q}}", "q", none},
        {"regexp:{{!/(q)/ $1}, {/./ next}}", "abc", "next"},
        {"regexp:{{/(y)/ $2}, {/y/ second}}", "y", "second"},
        {"regexp:{{/x/k bad}, {/(/ bad}, {/x/ ok}}", "x", "ok"},
        {"regexp:{{/x/ $}, {/x/ $(1}, {/x/ $name}, {/x/ $0}}", "x", none},
        {"regexp:{{if /z/}, {/a/ in}, {endif}, {/a/ out}}", "az", "in"},
        {"regexp:{{if /z/}, {/a/ in}, {endif}, {/a/ out}}", "a", "out"},
        {"regexp:{{if !/z/}, {if /b/}, {/a/ in}, {endif}, {endif}, {/a/ out}}", "az", "out"},
        {"regexp:{{if !/z/}, {if /b/}, {/a/ in}, {endif}, {endif}, {/a/ out}}", "ab", "in"},
        {"regexp:{{if /(/}, {/a/ in}, {endif}, {/a/ out}}", "a", "out"},
        {"regexp:{{/^$/ empty}}", "", "empty"},
        {"pcre:{{/^(\\w+)\\.(?:x|y)$/ $1}}", "One.X", "One"},
        {"pcre:{{/^(a)(b)?/ $1$2.}}", "a", "a."},
        {"pcre:{{/a.b/ x}}", "a\nb", "x"},
        {"pcre:{{/a.b/s x}}", "a\nb", none},
        {"pcre:{{/A/i x}}", "a", none},
        {"pcre:{{/^b$/m x}}", "a\nb\nc", "x"},
        {"pcre:{{/b/A x}}", "ab", none},
        {"pcre:{{/a b/x x}}", "ab", "x"},
        {"pcre:{{/a(b+)/U $1}}", "abbb", "b"},
        {"pcre:{{/b$/E x}}", "b\n", none},
        {"pcre:{{/(?<=x)y/ z}}", "xy", "z"},
        {"pcre:{{/[/ bad}, {/./ ok}}", "x", "ok"},
    });
    CHECK_FALSE(maps::open("pcre:{{/a/ b}}")->fixed_strings());
    CHECK_FALSE(maps::open("unionmap:{static:a, pcre:{{/a/ b}}}")->fixed_strings());
}

TEST_CASE("an expression that backtracks without end gives up", "[maps]")
{
    CHECK(maps::open("pcre:{{/^(a+)+$/ x}}")->find(std::string(3000, 'a') + "b") == none);
}

TEST_CASE("networks", "[maps]")
{
    Temporary temporary;
    std::string table = "cidr:" + temporary.write("c", R"(10.0.0.0/8 ten
!192.168.0.0/16 elsewhere
192.168.1.1 one
192.168.1.0/33 bad
10.0.0.1/8 bad
[::1]/128 loop
2001:db8::/32 doc
if 192.168.2.0/24
192.168.2.5 five
endif
x y
0.0.0.0/0 rest
)");
    auto map = maps::open(table);
    struct {
        const char* key;
        std::optional<std::string> expected;
    } cases[] = {
        {"10.1.1.1", "ten"},       {"1.1.1.1", "elsewhere"}, {"192.168.1.1", "one"}, {"192.168.2.5", "five"}, {"192.168.2.6", "rest"},
        {"2001:db8::5", "elsewhere"}, {"hello", none},       {"010.0.0.1", none},    {"10.1.1", none},        {"", none},
    };
    for (const auto& each : cases) {
        CAPTURE(each.key);
        CHECK(map->find(each.key) == each.expected);
    }
    check({
        {"cidr:{{2001:db8::/32 doc}, {::/0 six}}", "2001:db8::5", "doc"},
        {"cidr:{{2001:db8::/32 doc}, {::/0 six}}", "2001:db9::5", "six"},
        {"cidr:{{::/0 six}}", "1.2.3.4", none},
        {"cidr:{{[::1]/128 loop}}", "::1", "loop"},
        {"cidr:{{::fff0/124 x}}", "::ffff", "x"},
        {"cidr:{{::fff0/125 x}}", "::ffff", none},
    });
}

TEST_CASE("lists of tables are searched in order", "[maps]")
{
    maps::Maps list({"inline:{a=1}", "pcre:{{/./ pattern}}", "inline:{b=2}"});
    CHECK(list.find("a") == "1");
    CHECK(list.find("b") == "pattern");
    CHECK(list.find("b", maps::Key::partial) == "2");
    CHECK(list.find("c", maps::Key::partial) == none);
    CHECK(maps::Maps().empty());
    maps::Maps broken({"inline:{a=1}", "nosuch:x"});
    CHECK(broken.find("a") == "1");
    CHECK_THROWS_AS(broken.find("b"), maps::Unavailable);
    maps::Maps hollow({"pcre:{{/x/}}"});
    CHECK_THROWS_AS(hollow.find("x"), maps::Unavailable);
}
