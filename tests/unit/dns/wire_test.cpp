// A name server's bytes: what is read, and that nothing hostile does harm.
#include "catch.h"
#include "dns/wire.h"
#include "name_server.h"

using namespace testing;
using dns::wire::parse;

namespace {

std::string question(const std::string& name, unsigned type) { return wire_name(name) + number16(type) + number16(1); }

std::string mx_message()
{
    Script script;
    script.record("example.org", 15, 300, mx_data(10, "mx.example.org"));
    script.record("example.org", 15, 200, mx_data(20, "mx2.example.org"));
    return script.message("ab", question("example.org", 15));
}

} // namespace

TEST_CASE("MX records are read", "[dns]")
{
    auto message = parse(mx_message());
    REQUIRE(message);
    REQUIRE(message->answers.size() == 2);
    CHECK(message->answers[0].owner == "example.org");
    CHECK(message->answers[0].target == "mx.example.org");
    CHECK(message->answers[0].preference == 10);
    CHECK(message->answers[1].ttl == 200);
    CHECK(message->unusable == 0);
}

TEST_CASE("compressed names are followed, loops are not", "[dns]")
{
    std::string name_and_fixed = number16(1) + number16(1) + number32(60) + number16(4) + a_data("127.0.0.1");
    std::string head = std::string("ab") + number16(0x8180) + number16(1) + number16(1) + number16(0) + number16(0);
    std::string good = head + question("host.test", 1) + number16(0xc000 | 12) + name_and_fixed;
    auto message = parse(good);
    REQUIRE(message);
    CHECK(message->answers[0].owner == "host.test");
    std::string loop = head + question("host.test", 1) + number16(0xc000u | static_cast<unsigned>(head.size() + question("host.test", 1).size())) + name_and_fixed;
    CHECK_FALSE(parse(loop));
    std::string beyond = head + question("host.test", 1) + number16(0xffff) + name_and_fixed;
    CHECK_FALSE(parse(beyond));
}

TEST_CASE("records with names that no host can have are left out", "[dns]")
{
    Script script;
    script.record("example.org", 15, 300, mx_data(10, "mx one"));
    script.record("example.org", 15, 300, mx_data(20, "mx2.example.org"));
    auto message = parse(script.message("ab", question("example.org", 15)));
    REQUIRE(message);
    REQUIRE(message->answers.size() == 1);
    CHECK(message->answers[0].target == "mx2.example.org");
    CHECK(message->unusable == 1);
}

TEST_CASE("no cut and no flipped byte does harm", "[dns]")
{
    std::string whole = mx_message();
    for (size_t size = 0; size < whole.size(); ++size) CHECK_FALSE(parse(whole.substr(0, size)));
    for (size_t i = 0; i < whole.size(); ++i) {
        for (unsigned byte : {0u, 0x3fu, 0x40u, 0x80u, 0xc0u, 0xffu}) {
            std::string broken = whole;
            broken[i] = static_cast<char>(byte);
            (void)parse(broken);
        }
    }
}

TEST_CASE("a flood of records is cut", "[dns]")
{
    Script script;
    for (int i = 0; i < 500; ++i) script.record("x.test", 1, 60, a_data("192.0.2.1"));
    auto message = parse(script.message("ab", question("x.test", 1)));
    REQUIRE(message);
    CHECK(message->answers.size() == 100);
    CHECK(message->unusable == 400);
}
