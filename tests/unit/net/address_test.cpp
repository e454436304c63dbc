// Addresses: parsed, shown, compared by their bytes.
#include "net/address.h"

#include "base/error.h"
#include "catch.h"

#include <netinet/in.h>

#include <cstring>

using net::Address;

TEST_CASE("IP addresses are parsed and shown", "[net]")
{
    struct Case {
        const char *in, *ip, *literal, *text;
        size_t bytes;
        bool loopback;
    };
    Case cases[] = {
        {"192.0.2.1", "192.0.2.1", "[192.0.2.1]", "[192.0.2.1]:25", 4, false},
        {"[192.0.2.1]", "192.0.2.1", "[192.0.2.1]", "[192.0.2.1]:25", 4, false},
        {"127.255.255.254", "127.255.255.254", "[127.255.255.254]", "[127.255.255.254]:25", 4, true},
        {"::1", "::1", "[IPv6:::1]", "[::1]:25", 16, true},
        {"[::1]", "::1", "[IPv6:::1]", "[::1]:25", 16, true},
        {"2001:DB8:0:0:0:0:0:1", "2001:db8::1", "[IPv6:2001:db8::1]", "[2001:db8::1]:25", 16, false},
        // An IPv4 client of a dual-stack socket is an IPv4 client.
        {"::ffff:192.0.2.1", "192.0.2.1", "[192.0.2.1]", "[192.0.2.1]:25", 4, false},
        {"::ffff:127.0.0.1", "127.0.0.1", "[127.0.0.1]", "[127.0.0.1]:25", 4, true},
    };
    for (const auto& c : cases) {
        CAPTURE(c.in);
        auto address = Address::parse_ip(c.in, 25);
        REQUIRE(address);
        CHECK(address->ip() == c.ip);
        CHECK(address->literal() == c.literal);
        CHECK(address->text() == c.text);
        CHECK(address->bytes().size() == c.bytes);
        CHECK(address->is_loopback() == c.loopback);
        CHECK(address->is_ipv6() == (c.bytes == 16));
        CHECK(address->port() == 25);
        address->set_port(65535);
        CHECK(address->port() == 65535);
        auto again = Address(address->data(), address->size());
        CHECK(again.text() == address->text());
    }
}

TEST_CASE("what is no address is refused", "[net]")
{
    for (const char* text : {"", "[]", "[", "]", "localhost", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4x", "1.2.3.4 ", " 1.2.3.4", "::1%lo", ":::",
                             "1:2:3:4:5:6:7:8:9", "[::1", "::1]", "[[::1]]", "1.2.3.4:25", "0x7f.1", "2130706433", "g::1"}) {
        CAPTURE(text);
        CHECK_FALSE(Address::parse_ip(text, 25));
    }
    CHECK_FALSE(Address::parse_ip(std::string_view("1.2.3.4\0x", 9), 25));
}

TEST_CASE("Unix sockets", "[net]")
{
    auto address = Address::unix_path("/tmp/x");
    CHECK(address.is_unix());
    CHECK(address.text() == "/tmp/x");
    CHECK(address.ip() == "local");
    CHECK(address.port() == 0);
    CHECK(address.bytes().empty());
    CHECK_FALSE(address.is_loopback());
    CHECK(Address::unix_path(std::string(107, 'x')).text().size() == 107);
    CHECK_THROWS_AS(Address::unix_path(std::string(108, 'x')), base::SystemError);
    CHECK_THROWS_AS(Address::unix_path(std::string(5000, 'x')), base::SystemError);
    // A client's socket has no name.
    sockaddr_un unnamed{};
    unnamed.sun_family = AF_UNIX;
    Address peer(reinterpret_cast<sockaddr*>(&unnamed), sizeof(sa_family_t));
    CHECK(peer.is_unix());
    CHECK(peer.text().empty());
}

TEST_CASE("an empty address says so", "[net]")
{
    Address none;
    CHECK(none.family() == AF_UNSPEC);
    CHECK(none.size() == 0);
    CHECK(none.ip() == "local");
    CHECK_FALSE(none.is_unix());
    for (const auto& address : net::interface_addresses()) CHECK((address.bytes().size() == 4 || address.bytes().size() == 16));
}
