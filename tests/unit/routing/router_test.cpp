// router: classes, transports, next hops.
#include "catch.h"

#include "config/config.h"
#include "routing/router.h"

namespace {

// The name and networks of the machine that runs the test must not show.
constexpr const char* base_config = R"(
compatibility_level = 3.6
myhostname = mail.example.org
mydomain = example.org
myorigin = $mydomain
mydestination = $myhostname, localhost.$mydomain, localhost, example.org
recipient_delimiter = +
virtual_alias_maps = inline:{ {alias.example = x}, {info@alias.example = joe@example.org} }
virtual_mailbox_domains = box.example
relay_domains = relay.example
)";

struct House {
    explicit House(const std::string& more = "")
        : config(config::Config::parse(base_config + more, "main.cf")), router(config, {*maps::Address::parse("192.0.2.1"), *maps::Address::parse("2001:db8::1")})
    {
    }
    config::Config config;
    routing::Router router;
};

std::string shown(const routing::Route& route) { return route.transport + ":" + route.nexthop + " " + route.recipient; }

} // namespace

using routing::AddressClass;

TEST_CASE("domains belong to five classes", "[routing]")
{
    House house;
    struct {
        const char* domain;
        AddressClass expected;
    } cases[] = {
        {"example.org", AddressClass::local},           {"EXAMPLE.org", AddressClass::local},       {"localhost", AddressClass::local},
        {"example.org.", AddressClass::local},          {"", AddressClass::local},                  {"[192.0.2.1]", AddressClass::local},
        {"[IPv6:2001:db8::1]", AddressClass::local},    {"[192.0.2.9]", AddressClass::default_},    {"192.0.2.1", AddressClass::default_},
        {"alias.example", AddressClass::virtual_alias}, {"box.example", AddressClass::virtual_mailbox},
        {"relay.example", AddressClass::relay},         {"sub.relay.example", AddressClass::relay}, {"sub.example.org", AddressClass::default_},
        {"xrelay.example", AddressClass::default_},     {"other.example", AddressClass::default_},
    };
    for (const auto& each : cases) {
        CAPTURE(each.domain);
        CHECK(house.router.classify(each.domain) == each.expected);
    }
}

TEST_CASE("each class has its transport and next hop", "[routing]")
{
    struct {
        const char *config, *recipient, *expected;
    } cases[] = {
        {"", "joe@example.org", "local:mail.example.org joe@example.org"},
        {"", "joe+x@localhost", "local:mail.example.org joe+x@localhost"},
        {"local_transport = lmtp:unix:/run/l", "joe@example.org", "lmtp:unix:/run/l joe@example.org"},
        {"local_transport = local", "joe@example.org", "local:example.org joe@example.org"},
        {"", "joe", "local:mail.example.org joe@mail.example.org"},
        {"", "", "local:mail.example.org MAILER-DAEMON@mail.example.org"},
        {"", "@example.org", "local:mail.example.org MAILER-DAEMON@example.org"},
        {"", "joe@[192.0.2.1]", "local:mail.example.org joe@[192.0.2.1]"},
        {"", "x@alias.example", "error:5.1.1 User unknown in virtual alias table x@alias.example"},
        {"show_user_unknown_table_name = no", "x@alias.example", "error:5.1.1 User unknown x@alias.example"},
        {"", "x@Box.example", "virtual:box.example x@Box.example"},
        {"virtual_transport = lmtp:inet:h:24", "x@box.example", "lmtp:inet:h:24 x@box.example"},
        {"", "x@sub.relay.example", "relay:sub.relay.example x@sub.relay.example"},
        {"relayhost = [smart]:587", "x@relay.example", "relay:[smart]:587 x@relay.example"},
        {"relayhost = [smart]:587\nrelay_transport = smtp:[hub]", "x@relay.example", "smtp:[hub] x@relay.example"},
        {"", "x@Other.Example", "smtp:other.example x@Other.Example"},
        {"", "x@other.example.", "smtp:other.example x@other.example"},
        {"relayhost = [smart]", "x@other.example", "smtp:[smart] x@other.example"},
        {"default_transport = error:outside mail is not deliverable", "x@o.example", "error:outside mail is not deliverable x@o.example"},
        {"default_transport = uucp", "x@o.example", "uucp:o.example x@o.example"},
        // routing that is ours to take off
        {"", "x%other.example@example.org", "smtp:other.example x@other.example"},
        {"", "other.example!x@example.org", "smtp:other.example x@other.example"},
        {"", "x@other.example@example.org", "smtp:other.example x@other.example"},
        {"", "x@example.org@other.example", "smtp:other.example x@example.org@other.example"},
        {"allow_percent_hack = no", "x%other.example@example.org", "local:mail.example.org x%other.example@example.org"},
        {"swap_bangpath = no", "a!x@example.org", "local:mail.example.org a!x@example.org"},
        {"", "joe@example.org@localhost", "local:mail.example.org joe@example.org"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.config, each.recipient);
        House house(each.config);
        CHECK(shown(house.router.route(each.recipient, "s@sender.example")) == each.expected);
    }
}

TEST_CASE("transport_maps overrides what the class says", "[routing]")
{
    House house(R"(relayhost = [smart]
transport_maps = inline:{ {joe@example.org = smtp:[10.0.0.1]}, {keep.example = :}, {hop.example = :[hub]:26}, {plain.example = smtp:},
    {.sub.example = slow:}, {err.example = error:no such place}, {bare.example = error:}, {word.example = uucp} }
)");
    struct {
        const char *recipient, *expected;
    } cases[] = {
        {"joe@example.org", "smtp:[10.0.0.1] joe@example.org"},
        {"joe+ext@example.org", "smtp:[10.0.0.1] joe+ext@example.org"},
        {"JOE@Example.org", "smtp:[10.0.0.1] JOE@Example.org"},
        {"x@keep.example", "smtp:[smart] x@keep.example"},
        {"x@hop.example", "smtp:[hub]:26 x@hop.example"},
        {"x@plain.example", "smtp:plain.example x@plain.example"},
        {"x@a.b.sub.example", "slow:a.b.sub.example x@a.b.sub.example"},
        {"x@sub.example", "smtp:[smart] x@sub.example"},
        {"x@err.example", "error:no such place x@err.example"},
        {"x@bare.example", "error:Address is undeliverable x@bare.example"},
        {"x@word.example", "uucp:word.example x@word.example"},
        {"x@alias.example", "error:5.1.1 User unknown in virtual alias table x@alias.example"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.recipient);
        CHECK(shown(house.router.route(each.recipient, "")) == each.expected);
    }
    House wild("transport_maps = inline:{ {* = smtp:[any]}, {x.example = smtp:[one]} }");
    CHECK(shown(wild.router.route("a@x.example", "")) == "smtp:[one] a@x.example");
    CHECK(shown(wild.router.route("a@y.example", "")) == "smtp:[any] a@y.example");
    House pattern("transport_maps = pcre:{ {/@(.*)\\.p\\.example$$/ smtp:[$$1.hub]} }");
    CHECK(shown(pattern.router.route("a@b.p.example", "")) == "smtp:[b.hub] a@b.p.example");
}

TEST_CASE("the sender may choose relay and transport", "[routing]")
{
    House house(R"(relayhost = [smart]
sender_dependent_relayhost_maps = inline:{ {boss@example.org = [fast]}, {@sales.example = [sales]}, {<> = [bounces]}, {no@example.org = DUNNO} }
sender_dependent_default_transport_maps = inline:{ {ip@example.org = smtp-ip:}, {hop@example.org = :[hop]} }
)");
    struct {
        const char *sender, *expected;
    } cases[] = {
        {"boss@example.org", "smtp:[fast]"}, {"boss+x@EXAMPLE.org", "smtp:[fast]"}, {"any@sales.example", "smtp:[sales]"},
        {"", "smtp:[bounces]"},              {"no@example.org", "smtp:[smart]"},    {"joe@example.org", "smtp:[smart]"},
        {"ip@example.org", "smtp-ip:[smart]"}, {"hop@example.org", "smtp:[hop]"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.sender);
        CHECK(shown(house.router.route("x@other.example", each.sender)) == std::string(each.expected) + " x@other.example");
        CHECK(house.router.route("joe@example.org", each.sender).transport == "local");
    }
}

TEST_CASE("moved users, odd domains and routed local parts are marked", "[routing]")
{
    House house("relocated_maps = inline:{ {gone@example.org = here@new.example} }");
    CHECK(shown(house.router.route("gone+x@example.org", "")) == "error:5.1.6 User has moved to here@new.example gone+x@example.org");
    CHECK(house.router.route("x%y@other.example", "").routed);
    CHECK_FALSE(house.router.route("x@other.example", "").routed);
    CHECK(house.router.route("x@o..example", "").bad_domain);
    CHECK(house.router.route("x@[300.1.1.1]", "").bad_domain);
    CHECK_FALSE(house.router.route("x@[192.0.2.77]", "").bad_domain);
}

TEST_CASE("hostile addresses end somewhere", "[routing]")
{
    House house;
    std::string many;
    for (int i = 0; i < 2000; ++i) many += "a@example.org%";
    for (const std::string& address : {many, std::string(3000, '@'), std::string(3000, '!'), std::string(3000, '%'), std::string("!@example.org"),
                                       std::string("%@example.org"), std::string("a!@example.org"), std::string("..@.."), std::string("@"), std::string("@.")}) {
        CAPTURE(address.substr(0, 40));
        CHECK_FALSE(house.router.route(address, "").transport.empty());
    }
}

TEST_CASE("a table that fails is an exception, not a guess", "[routing]")
{
    for (const char* setting : {"transport_maps = fail:x", "relay_domains = fail:x", "mydestination = fail:x", "virtual_mailbox_domains = fail:x",
                                "relocated_maps = hash:/nonexistent/x", "transport_maps = nosuchtype:x"}) {
        CAPTURE(setting);
        House house(setting);
        CHECK_THROWS_AS(house.router.route("x@other.example", ""), maps::Unavailable);
    }
}
