// address_search, matchlist: orders of look-ups, and lists of patterns.
#include "catch.h"
#include "temporary.h"

#include "maps/address_search.h"
#include "maps/matchlist.h"
#include "maps/network.h"

namespace {

// A table that knows one key and remembers all that it was asked.
class Recorder final : public maps::Map {
public:
    Recorder() : Map("recorder:") {}
    std::optional<std::string> find(std::string_view key) override
    {
        asked() += (asked().empty() ? "" : " ") + std::string(key);
        return std::nullopt;
    }
    static std::string& asked()
    {
        static std::string keys;
        return keys;
    }
};

std::string asked_for(std::string_view address, unsigned forms, const std::string& delimiters = "+", maps::Parents parents = maps::Parents::dotted)
{
    maps::add_type("recorder", [](const std::string&, const maps::Options&) { return std::make_unique<Recorder>(); });
    Recorder::asked().clear();
    maps::Maps tables({"recorder:"});
    maps::AddressSearch search;
    search.forms = forms;
    search.extension.delimiters = delimiters;
    search.parents = parents;
    search.is_local = [](std::string_view domain) { return domain == "here.example"; };
    CHECK_FALSE(maps::find_address(tables, address, search).has_value());
    return Recorder::asked();
}

constexpr unsigned usual = maps::form::full | maps::form::no_extension | maps::form::local_if_local | maps::form::at_domain;
constexpr unsigned access_forms = maps::form::full | maps::form::no_extension | maps::form::domain | maps::form::local_at;

} // namespace


TEST_CASE("the parts of an address are asked for in Postfix's order", "[maps]")
{
    CHECK(asked_for("u+x@far.example", usual) == "u+x@far.example u@far.example @far.example");
    CHECK(asked_for("u+x@here.example", usual) == "u+x@here.example u@here.example u+x u @here.example");
    CHECK(asked_for("u+x@here.example", usual, "") == "u+x@here.example u+x @here.example");
    CHECK(asked_for("u-x@far.example", usual, "+-") == "u-x@far.example u@far.example @far.example");
    CHECK(asked_for("u+x", usual) == "u+x u");
    CHECK(asked_for("u@a.b.c", access_forms) == "u@a.b.c a.b.c .b.c .c u@");
    CHECK(asked_for("u+x@a.b.c", access_forms, "+", maps::Parents::plain) == "u+x@a.b.c u@a.b.c a.b.c b.c c u+x@ u@");
    CHECK(asked_for("a b@here.example", usual) == "\"a b\"@here.example a b@here.example \"a b\" a b @here.example");
    CHECK(asked_for("postmaster+x@far.example", usual) == "postmaster+x@far.example postmaster@far.example @far.example");
    CHECK(asked_for("owner-list@far.example", usual, "-") == "owner-list@far.example @far.example");
    CHECK(asked_for("+x@far.example", usual) == "+x@far.example @far.example");
}

TEST_CASE("what was found, and which extension was not", "[maps]")
{
    maps::Maps tables({"inline:{u@far.example=1, {a+b@far.example=2}, @far.example=3, .up.example=4}"});
    maps::AddressSearch search;
    search.extension.delimiters = "+";
    auto check = [&](const char* address, const char* value, const char* extension, unsigned form) {
        CAPTURE(address);
        auto hit = maps::find_address(tables, address, search);
        REQUIRE(hit.has_value());
        CHECK(hit->value == value);
        CHECK(hit->extension == extension);
        CHECK(hit->found_as == form);
    };
    check("U+x@Far.example", "1", "+x", maps::form::no_extension);
    check("a+b@far.example", "2", "", maps::form::full);
    check("z+b@far.example", "3", "+b", maps::form::at_domain);
    CHECK(maps::find_domain(tables, "a.b.up.example", maps::Parents::dotted) == "4");
    CHECK(maps::find_domain(tables, "up.example", maps::Parents::dotted) == std::nullopt);
    maps::Maps networks({"inline:{192.0.2=net, 2001:db8=six}"});
    CHECK(maps::find_network(networks, "192.0.2.7") == "net");
    CHECK(maps::find_network(networks, "2001:db8::7:1") == "six");
    CHECK(maps::find_network(networks, "10.0.0.1") == std::nullopt);
}

TEST_CASE("addresses are taken apart with and without quotes", "[maps]")
{
    struct {
        const char *address, *local, *domain, *joined;
    } cases[] = {
        {"a@b", "a", "b", "a@b"},
        {"a@b@c", "a@b", "c", "\"a@b\"@c"},
        {"\"a@b\"@c", "a@b", "c", "\"a@b\"@c"},
        {"\"a\\\"b\"@c", "a\"b", "c", "\"a\\\"b\"@c"},
        {"\"open@c", "\"open", "c", "\"\\\"open\"@c"},
        {"a b@c", "a b", "c", "\"a b\"@c"},
        {"a", "a", "", "a"},
        {"\"a b\"", "a b", "", "\"a b\""},
        {"@c", "", "c", "\"\"@c"},
        {"a..b@c", "a..b", "c", "\"a..b\"@c"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.address);
        auto parts = maps::split_address(each.address);
        CHECK(parts.local == each.local);
        CHECK(parts.domain == each.domain);
        CHECK(maps::join_address(parts) == each.joined);
    }
}

TEST_CASE("lists of domains", "[maps]")
{
    Temporary temporary;
    std::string file = temporary.write("list", "# c\nfile.example, !no.file2.example\n .file2.example\n");
    struct {
        std::string patterns;
        bool parents;
        const char* domain;
        bool expected;
    } cases[] = {
        {"a.example, b.example", false, "B.Example", true},
        {"a.example", false, "x.a.example", false},
        {"a.example", true, "x.a.example", true},
        {"a.example", true, "xa.example", false},
        {".a.example", false, "x.a.example", true},
        {".a.example", false, "a.example", false},
        {"!x.a.example .a.example", false, "x.a.example", false},
        {"!x.a.example .a.example", false, "y.a.example", true},
        {".a.example !x.a.example", false, "x.a.example", true},
        {"inline:{{a.example = x}, {.b.example = y}}", false, "a.example", true},
        {"inline:{{a.example = x}, {.b.example = y}}", false, "z.b.example", true},
        {"inline:{{a.example = x}}", true, "z.a.example", true},
        {"inline:{{a.example = x}}", false, "z.a.example", false},
        {"!inline:{{a.example = x}}, static:all", false, "a.example", false},
        {"pcre:{{/^a/ x}}", false, "a.example", true},
        {"pcre:{{/^example/ x}}", true, "a.example", false},
        {file, false, "file.example", true},
        {file, false, "x.file2.example", true},
        {file, false, "no.file2.example", false},
        {"!" + file + " static:all", false, "file.example", false},
        {"!" + file + " static:all", false, "no.file2.example", true},
        {"!!a.example", false, "a.example", true},
        {"", false, "a.example", false},
    };
    for (const auto& each : cases) {
        CAPTURE(each.patterns, each.domain);
        CHECK(maps::MatchList(each.patterns, maps::Matching::domains, {each.parents, {}}).matches(each.domain) == each.expected);
    }
    CHECK_FALSE(maps::MatchList(".a.example", maps::Matching::strings).matches("x.a.example"));
    CHECK(maps::MatchList().empty());
}

TEST_CASE("lists of networks", "[maps]")
{
    Temporary temporary;
    struct {
        std::string patterns;
        const char *name, *address;
        bool expected;
    } cases[] = {
        {"127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "", "127.1.2.3", true},
        {"127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "", "::1", true},
        {"127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128", "", "::2", false},
        {"[::ffff:127.0.0.0]/104", "", "::ffff:127.0.0.1", true},
        {"127.0.0.0/8", "", "::ffff:127.0.0.1", true},
        {"[::1]", "", "::1", true},
        {"[2001:db8::]/32", "", "2001:db8:1::1", true},
        {"2001:db8::/32", "", "2001:db8:1::1", true},
        {"192.0.2.1", "", "192.0.2.1", true},
        {"!192.0.2.1, 192.0.2.0/24", "", "192.0.2.1", false},
        {"!192.0.2.1, 192.0.2.0/24", "", "192.0.2.2", true},
        {"host.example", "host.example", "192.0.2.1", true},
        {".example", "host.example", "192.0.2.1", true},
        {".example", "unknown", "192.0.2.1", false},
        {"cidr:{{192.0.2.0/24 OK}}", "", "192.0.2.9", true},
        {"inline:{{192.0.2.9 = x}}", "h.example", "192.0.2.9", true},
        {temporary.write("nets", "10.0.0.0/8\n# [::]/0\n192.0.2.0/24\n"), "", "192.0.2.9", true},
        {"0.0.0.0/0", "", "1.2.3.4", true},
        {"0.0.0.0/0", "", "nonsense", false},
    };
    for (const auto& each : cases) {
        CAPTURE(each.patterns, each.address);
        CHECK(maps::NetworkList(each.patterns).contains(each.name, each.address) == each.expected);
    }
    for (const char* bad : {"10.0.0.1/8", "10.0.0.0/33", "[::1", "!", "/no/such/file", "hash:/no/such/table", "nosuch:x"}) {
        CAPTURE(bad);
        maps::NetworkList list(bad);
        CHECK_THROWS_AS(list.contains("10.0.0.1"), maps::Unavailable);
    }
    temporary.write("self", temporary.path("self"));
    CHECK_THROWS_AS(maps::NetworkList(temporary.path("self")).contains("10.0.0.1"), maps::Unavailable);
}

TEST_CASE("networks are parsed strictly", "[maps]")
{
    for (const char* good : {"10.0.0.0/8", "0.0.0.0/0", "::/0", "10.1.2.3", "10.1.2.3/32", "[::1]/128", "[2001:db8::]/32", "[10.0.0.0]/8"}) {
        CAPTURE(good);
        CHECK(maps::Network::parse(good).network.has_value());
    }
    for (const char* bad : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/x", "10.0.0.0/-1", "10.0.0/8", "10.0.0.0/8/8", "::1/129", "::1/64", "a", "1.2.3.4.5", "[", "[]"}) {
        CAPTURE(bad);
        auto parsed = maps::Network::parse(bad);
        CHECK_FALSE(parsed.network.has_value());
        CHECK_FALSE(parsed.error.empty());
    }
}
