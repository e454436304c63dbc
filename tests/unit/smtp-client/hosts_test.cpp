// Which hosts are tried, and in which order.
#include "../dns/name_server.h"
#include "catch.h"
#include "hosts.h"

using namespace smtp_client;
using namespace testing;

namespace {

Host host(const std::string& name, const std::string& ip, unsigned preference)
{
    Host host;
    host.name = name;
    host.address = *net::Address::parse_ip(ip, 25);
    host.preference = preference;
    return host;
}

std::string names(const std::vector<Host>& hosts)
{
    std::string text;
    for (const auto& each : hosts) text += (text.empty() ? "" : " ") + each.name;
    return text;
}

struct World {
    NameServer server;
    Settings settings;
    std::unique_ptr<dns::Resolver> resolver;

    World()
    {
        dns::Options options;
        options.servers = {server.address()};
        options.timeout = std::chrono::milliseconds(50);
        options.tries = 1;
        options.hosts_file = "/nonexistent";
        resolver = std::make_unique<dns::Resolver>(options);
        settings.families = dns::Families::ipv4;
    }
    void mx(const std::string& domain, unsigned preference, const std::string& host)
    {
        server.on(domain, 15).record(domain, 15, 60, mx_data(preference, host));
    }
    void a(const std::string& name, const std::string& ip) { server.on(name, 1).record(name, 1, 60, a_data(ip)); }
    Hosts find(const std::string& text)
    {
        auto destination = parse_destination(text, 25, true);
        REQUIRE(destination);
        return run(find_hosts(*destination, *resolver, settings));
    }
};

} // namespace

TEST_CASE("hosts come in order of preference, equal ones in any order", "[smtp-client]")
{
    Settings settings;
    std::set<std::string> orders;
    for (int i = 0; i < 200; ++i) {
        std::vector<Host> hosts{host("c", "192.0.2.3", 20), host("a", "192.0.2.1", 10), host("b", "192.0.2.2", 10)};
        put_in_order(hosts, settings);
        orders.insert(names(hosts));
    }
    CHECK(orders == std::set<std::string>{"a b c", "b a c"});
}

TEST_CASE("a family may be preferred among equals", "[smtp-client]")
{
    Settings settings;
    for (auto preference : {Preference::ipv4, Preference::ipv6}) {
        settings.preference = preference;
        std::vector<Host> hosts{host("x", "192.0.2.9", 20), host("four", "192.0.2.1", 10), host("six", "2001:db8::1", 10)};
        put_in_order(hosts, settings);
        CHECK(names(hosts) == (preference == Preference::ipv4 ? "four six x" : "six four x"));
    }
}

TEST_CASE("the limit of addresses leaves both families in", "[smtp-client]")
{
    Settings settings;
    settings.address_limit = 2;
    std::vector<Host> hosts{host("a", "2001:db8::1", 10), host("b", "2001:db8::2", 10), host("c", "192.0.2.1", 10)};
    cut_to_limit(hosts, settings);
    CHECK(names(hosts) == "a c");
    settings.balance = false;
    hosts = {host("a", "2001:db8::1", 10), host("b", "2001:db8::2", 10), host("c", "192.0.2.1", 10)};
    cut_to_limit(hosts, settings);
    CHECK(names(hosts) == "a b");
    settings.address_limit = 0;
    cut_to_limit(hosts, settings);
    CHECK(hosts.size() == 2);
}

TEST_CASE("hosts no better than ourselves are left out", "[smtp-client]")
{
    OwnAddresses own({"192.0.2.2"}, {});
    std::vector<Host> hosts{host("a", "192.0.2.1", 10), host("self", "192.0.2.2", 20), host("b", "192.0.2.3", 20), host("c", "192.0.2.4", 30)};
    CHECK(drop_own(hosts, own));
    CHECK(names(hosts) == "a");
    hosts = {host("self", "192.0.2.2", 10), host("c", "192.0.2.4", 30)};
    CHECK_FALSE(drop_own(hosts, own));
}

TEST_CASE("MX, no MX, null MX", "[smtp-client]")
{
    World world;
    world.mx("two.test", 20, "b.test");
    world.mx("two.test", 10, "a.test");
    world.a("a.test", "192.0.2.1");
    world.a("b.test", "192.0.2.2");
    CHECK(names(world.find("two.test").list) == "a.test b.test");

    world.server.on("plain.test", 15).soa(10);
    world.a("plain.test", "192.0.2.5");
    CHECK(names(world.find("plain.test").list) == "plain.test");

    world.mx("null.test", 0, "");
    auto null = world.find("null.test");
    CHECK(null.list.empty());
    CHECK(null.problem.dsn == "5.1.10");
    CHECK(null.problem.permanent());
    CHECK(null.problem.text == "Domain null.test does not accept mail (nullMX)");
}

TEST_CASE("what the DNS does not know is bounced, what it cannot say is deferred", "[smtp-client]")
{
    World world;
    world.server.on("gone.test", 15).rcode = 3;
    world.server.on("broken.test", 15).rcode = 2;
    world.server.on("empty.test", 15).soa(10);
    world.server.on("empty.test", 1).soa(10);
    world.mx("dead.test", 10, "gone-host.test");
    world.server.on("gone-host.test", 1).rcode = 3;
    world.mx("sick.test", 10, "sick-host.test");
    world.server.on("sick-host.test", 1).rcode = 2;
    struct Case {
        const char* domain;
        bool permanent;
        const char* dsn;
        const char* text;
    };
    const Case cases[] = {
        {"gone.test", true, "5.4.4", "Host or domain name not found. Name service error for name=gone.test type=MX: Host not found"},
        {"broken.test", false, "4.4.3", "Host or domain name not found. Name service error for name=broken.test type=MX: Host not found, try again"},
        {"empty.test", true, "5.4.4",
         "Host or domain name not found. Name service error for name=empty.test type=A: Host found but no data record of requested type"},
        {"dead.test", true, "5.4.4", "Host or domain name not found. Name service error for name=gone-host.test type=A: Host not found"},
        {"sick.test", false, "4.4.3", "Host or domain name not found. Name service error for name=sick-host.test type=A: Host not found, try again"},
    };
    for (const auto& each : cases) {
        CAPTURE(each.domain);
        auto hosts = world.find(each.domain);
        CHECK(hosts.list.empty());
        CHECK(hosts.problem.permanent() == each.permanent);
        CHECK(hosts.problem.dsn == each.dsn);
        CHECK(hosts.problem.text == each.text);
    }
}

TEST_CASE("mail for ourselves does not leave by SMTP", "[smtp-client]")
{
    World world;
    world.settings.own = OwnAddresses({"192.0.2.7"}, {"198.51.100.7"});
    world.mx("own.test", 10, "self.test");
    world.a("self.test", "192.0.2.7");
    world.mx("proxied.test", 10, "outside.test");
    world.a("outside.test", "198.51.100.7");
    for (const char* text : {"own.test", "proxied.test", "[self.test]", "[192.0.2.7]"}) {
        CAPTURE(text);
        auto hosts = world.find(text);
        CHECK(hosts.list.empty());
        CHECK(hosts.problem.dsn == "5.4.6");
        CHECK(hosts.problem.permanent());
    }
    CHECK(world.find("[192.0.2.7]:2525").list.size() == 1);
}
