// The grammar of next hops.
#include "catch.h"
#include "destination.h"
#include "settings.h"

using namespace smtp_client;

TEST_CASE("next hops", "[smtp-client]")
{
    struct Case {
        const char* text;
        bool mx;
        Destination::Kind kind;
        const char* name;
        uint16_t port;
    };
    const Case cases[] = {
        {"example.org", true, Destination::domain, "example.org", 25},
        {"example.org", false, Destination::host, "example.org", 25},
        {" example.org ", true, Destination::domain, "example.org", 25},
        {"example.org:587", true, Destination::domain, "example.org", 587},
        {"example.org:submission", true, Destination::domain, "example.org", 587},
        {"[mx.example.org]", true, Destination::host, "mx.example.org", 25},
        {"[mx.example.org]:2525", true, Destination::host, "mx.example.org", 2525},
        {"[192.0.2.1]", true, Destination::host, "192.0.2.1", 25},
        {"[2001:db8::1]", true, Destination::host, "2001:db8::1", 25},
        {"[IPv6:2001:db8::1]:26", true, Destination::host, "2001:db8::1", 26},
        {"2001:db8::1", true, Destination::host, "2001:db8::1", 25},
        {"inet:mail.example.org:24", true, Destination::host, "mail.example.org", 24},
        {"inet:[127.0.0.1]:8024", true, Destination::host, "127.0.0.1", 8024},
        {"inet:localhost", true, Destination::host, "localhost", 25},
        {"unix:/var/run/lmtp", true, Destination::unix_socket, "/var/run/lmtp", 0},
        {"unix:private/dovecot-lmtp", false, Destination::unix_socket, "private/dovecot-lmtp", 0},
    };
    for (const auto& each : cases) {
        CAPTURE(each.text);
        auto found = parse_destination(each.text, 25, each.mx);
        REQUIRE(found);
        CHECK(found->kind == each.kind);
        CHECK(found->name == each.name);
        CHECK(found->port == each.port);
    }
}

TEST_CASE("what is no next hop", "[smtp-client]")
{
    for (const char* text : {"", " ", "[", "[]", "[host", "[host]x", "[host]:", "[host]:0", "[host]:99999", "host:", "host:nonsense-port", ":25",
                             "a:b:c", "unix:", "inet:", "inet:[]", "host:25x"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_destination(text, 25, true));
    }
}

TEST_CASE("ports by number and by name", "[smtp-client]")
{
    CHECK(to_port("25") == uint16_t(25));
    CHECK(to_port("smtp") == uint16_t(25));
    CHECK(to_port("SMTPS") == uint16_t(465));
    CHECK_FALSE(to_port("0"));
    CHECK_FALSE(to_port("65536"));
    CHECK_FALSE(to_port(""));
}
