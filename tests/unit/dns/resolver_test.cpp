// The resolver against a scripted name server.
#include "catch.h"
#include "dns/resolver.h"
#include "name_server.h"

#include <unistd.h>

using namespace testing;
using dns::Status;

namespace {

dns::Options options_for(const NameServer& server)
{
    dns::Options options;
    options.servers = {server.address()};
    options.timeout = std::chrono::milliseconds(50);
    options.tries = 2;
    options.hosts_file = "/nonexistent";
    return options;
}

async::Task<> ask_mx(dns::Resolver& resolver, std::string name, int& done)
{
    auto answer = co_await resolver.mx(name);
    if (answer.found()) ++done;
}

} // namespace

TEST_CASE("names are checked before they are asked for", "[dns]")
{
    struct Case {
        std::string name;
        bool askable;
    };
    const Case cases[] = {{"example.org", true}, {"example.org.", true}, {"_dmarc.example.org", true}, {"localhost", true}, {"", false},
                          {".", false}, {"a..b", false}, {".a", false}, {"a b.org", false}, {"a@b", false}, {"[1.2.3.4]", false},
                          {std::string(63, 'a') + ".org", true}, {std::string(64, 'a') + ".org", false}, {"b\xc3\xbc.de", false},
                          {std::string("a\0b", 3), false}};
    for (const auto& each : cases) {
        CAPTURE(each.name);
        CHECK(dns::is_askable(each.name) == each.askable);
    }
}

TEST_CASE("MX records come in order of preference", "[dns]")
{
    NameServer server;
    server.on("example.org", 15).record("example.org", 15, 300, mx_data(20, "b.example.org")).record("example.org", 15, 100, mx_data(10, "a.example.org"));
    dns::Resolver resolver(options_for(server));
    auto answer = run(resolver.mx("Example.org."));
    REQUIRE(answer.found());
    CHECK(answer.records == std::vector<dns::Mx>{{10, "a.example.org"}, {20, "b.example.org"}});
    CHECK(answer.ttl == std::chrono::seconds(100));
}

TEST_CASE("each way to have no answer has its name", "[dns]")
{
    NameServer server;
    server.on("gone.test", 15).rcode = 3;
    server.on("gone.test", 15).soa(30);
    server.on("empty.test", 15).soa(30);
    server.on("broken.test", 15).rcode = 2;
    server.on("silent.test", 15).silent = true;
    server.on("null.test", 15).record("null.test", 15, 60, mx_data(0, ""));
    server.on("odd.test", 15).record("odd.test", 15, 60, mx_data(0, "not a host"));
    dns::Resolver resolver(options_for(server));
    CHECK(run(resolver.mx("gone.test")).status == Status::no_such_domain);
    CHECK(run(resolver.mx("empty.test")).status == Status::no_data);
    CHECK(run(resolver.mx("broken.test")).status == Status::try_again);
    CHECK(run(resolver.mx("silent.test")).status == Status::try_again);
    CHECK(run(resolver.mx("odd.test")).status == Status::try_again);
    CHECK(run(resolver.mx("bad name")).status == Status::no_such_domain);
    auto null = run(resolver.mx("null.test"));
    REQUIRE(null.found());
    CHECK(null.records[0].host.empty());
}

TEST_CASE("answers are kept, failures are not", "[dns]")
{
    NameServer server;
    server.on("gone.test", 15).rcode = 3;
    server.on("gone.test", 15).soa(30);
    server.on("broken.test", 15).rcode = 2;
    server.on("zero.test", 15).record("zero.test", 15, 0, mx_data(1, "a.test"));
    server.on("good.test", 15).record("good.test", 15, 60, mx_data(1, "a.test"));
    dns::Resolver resolver(options_for(server));
    for (const char* name : {"gone.test", "good.test"}) {
        run(resolver.mx(name));
        size_t asked = server.asked.size();
        run(resolver.mx(name));
        CHECK(server.asked.size() == asked);
    }
    CHECK(resolver.cached() == 2);
    for (const char* name : {"broken.test", "zero.test"}) {
        run(resolver.mx(name));
        size_t asked = server.asked.size();
        run(resolver.mx(name));
        CHECK(server.asked.size() > asked);
    }
    CHECK(resolver.cached() == 2);
}

TEST_CASE("the cache is bounded", "[dns]")
{
    NameServer server;
    auto options = options_for(server);
    options.cache_entries = 5;
    dns::Resolver resolver(options);
    for (int i = 0; i < 30; ++i) {
        std::string name = "n" + std::to_string(i) + ".test";
        server.on(name, 15).record(name, 15, 60, mx_data(1, "a.test"));
        run(resolver.mx(name));
        CHECK(resolver.cached() <= 5);
    }
}

TEST_CASE("equal questions are joined, and a waiting task may go away", "[dns]")
{
    NameServer server;
    server.on("good.test", 15).record("good.test", 15, 60, mx_data(1, "a.test"));
    dns::Resolver resolver(options_for(server));
    int done = 0;
    {
        async::Nursery goes("goes");
        async::Nursery stays("stays");
        goes.start(ask_mx(resolver, "good.test", done));
        stays.start(ask_mx(resolver, "good.test", done));
        stays.start(ask_mx(resolver, "GOOD.test", done));
        goes.cancel();
        for (int i = 0; i < 100 && done < 2; ++i) async::loop().run_once(async::Limit(100));
    }
    CHECK(done == 2);
    CHECK(server.asked.size() == 1);
    {
        async::Nursery goes("goes");
        goes.start(ask_mx(resolver, "silent.test", done));
    }
}

TEST_CASE("a resolver may go while a question is under way", "[dns]")
{
    NameServer server;
    server.on("silent.test", 15).silent = true;
    int done = 0;
    async::Nursery nursery("test");
    dns::Resolver resolver(options_for(server));
    nursery.start(ask_mx(resolver, "silent.test", done));
    nursery.cancel();
    CHECK(done == 0);
}

TEST_CASE("addresses of both families", "[dns]")
{
    NameServer server;
    server.on("both.test", 1).record("both.test", 1, 60, a_data("192.0.2.1")).record("both.test", 1, 60, a_data("192.0.2.2"));
    server.on("both.test", 28).record("both.test", 28, 30, a_data("2001:db8::1"));
    server.on("four.test", 1).record("four.test", 1, 60, a_data("192.0.2.3"));
    server.on("four.test", 28).soa(10);
    server.on("half.test", 1).record("half.test", 1, 60, a_data("192.0.2.4"));
    server.on("half.test", 28).rcode = 2;
    server.on("hidden.test", 1).soa(10);
    server.on("hidden.test", 28).rcode = 2;
    server.on("none.test", 1).rcode = 3;
    server.on("none.test", 28).rcode = 3;
    dns::Resolver resolver(options_for(server));
    auto both = run(resolver.addresses("both.test"));
    REQUIRE(both.records.size() == 3);
    CHECK(both.records[0].ip() == "2001:db8::1");
    CHECK(both.records[2].ip() == "192.0.2.2");
    CHECK(both.ttl == std::chrono::seconds(30));
    CHECK(run(resolver.addresses("both.test", dns::Families::ipv4)).records.size() == 2);
    CHECK(run(resolver.addresses("four.test")).records.size() == 1);
    CHECK(run(resolver.addresses("four.test", dns::Families::ipv6)).status == Status::no_data);
    CHECK(run(resolver.addresses("half.test")).records.size() == 1);
    CHECK(run(resolver.addresses("hidden.test")).status == Status::try_again);
    CHECK(run(resolver.addresses("none.test")).status == Status::no_such_domain);
}

TEST_CASE("localhost is this machine, whatever a name server says", "[dns]")
{
    NameServer server;
    dns::Resolver resolver(options_for(server));
    for (const char* name : {"localhost", "LOCALHOST.", "a.localhost"}) {
        auto both = run(resolver.addresses(name));
        REQUIRE(both.records.size() == 2);
        CHECK(both.records[0].ip() == "127.0.0.1");
        CHECK(run(resolver.addresses(name, dns::Families::ipv6)).records[0].ip() == "::1");
    }
    CHECK(server.asked.empty());
}

TEST_CASE("CNAMEs are followed, in one answer and over several", "[dns]")
{
    NameServer server;
    server.on("www.test", 1).record("www.test", 5, 20, wire_name("web.test")).record("web.test", 1, 60, a_data("192.0.2.1"));
    server.on("far.test", 1).record("far.test", 5, 60, wire_name("www.test"));
    server.on("round.test", 1).record("round.test", 5, 60, wire_name("trip.test"));
    server.on("trip.test", 1).record("trip.test", 5, 60, wire_name("round.test"));
    dns::Resolver resolver(options_for(server));
    for (const char* name : {"www.test", "far.test"}) {
        auto answer = run(resolver.addresses(name, dns::Families::ipv4));
        CAPTURE(name);
        REQUIRE(answer.found());
        CHECK(answer.name == "web.test");
        CHECK(answer.ttl == std::chrono::seconds(20));
    }
    CHECK(run(resolver.addresses("round.test", dns::Families::ipv4)).status == Status::try_again);
}

TEST_CASE("a client's name must lead back to its address", "[dns]")
{
    NameServer server;
    server.on("1.2.0.192.in-addr.arpa", 12).record("1.2.0.192.in-addr.arpa", 12, 60, wire_name("good.test"));
    server.on("good.test", 1).record("good.test", 1, 60, a_data("192.0.2.1"));
    server.on("2.2.0.192.in-addr.arpa", 12).record("2.2.0.192.in-addr.arpa", 12, 60, wire_name("good.test"));
    server.on("3.2.0.192.in-addr.arpa", 12).rcode = 3;
    server.on("4.2.0.192.in-addr.arpa", 12).rcode = 2;
    server.on("5.2.0.192.in-addr.arpa", 12).record("5.2.0.192.in-addr.arpa", 12, 60, wire_name("192.0.2.5"));
    std::string six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
    server.on(six, 12).record(six, 12, 60, wire_name("six.test"));
    server.on("six.test", 28).record("six.test", 28, 60, a_data("2001:db8::1"));
    dns::Resolver resolver(options_for(server));
    struct Case {
        const char* address;
        const char* name;
        const char* reverse_name;
        Status reverse, forward;
    };
    const Case cases[] = {{"192.0.2.1", "good.test", "good.test", Status::found, Status::found},
                          {"192.0.2.2", "unknown", "good.test", Status::found, Status::no_data},
                          {"192.0.2.3", "unknown", "unknown", Status::no_such_domain, Status::no_such_domain},
                          {"192.0.2.4", "unknown", "unknown", Status::try_again, Status::try_again},
                          {"192.0.2.5", "unknown", "unknown", Status::found, Status::no_data},
                          {"2001:db8::1", "six.test", "six.test", Status::found, Status::found}};
    for (const auto& each : cases) {
        CAPTURE(each.address);
        auto client = run(resolver.reverse(*net::Address::parse_ip(each.address, 25)));
        CHECK(client.name == each.name);
        CHECK(client.reverse_name == each.reverse_name);
        CHECK(client.reverse == each.reverse);
        CHECK(client.forward == each.forward);
    }
}

TEST_CASE("text records are joined", "[dns]")
{
    NameServer server;
    server.on("t.test", 16).record("t.test", 16, 60, std::string("\5hello\6 world"));
    dns::Resolver resolver(options_for(server));
    auto answer = run(resolver.txt("t.test"));
    REQUIRE(answer.found());
    CHECK(answer.records[0] == "hello world");
}

TEST_CASE("the hosts file is asked first when it is wanted", "[dns]")
{
    char path[] = "/tmp/rookpost-hosts-XXXXXX";
    base::Fd file(::mkstemp(path));
    base::write_all(file.get(), "127.0.0.1 localhost\n192.0.2.9\tMail.test mail # ours\n2001:db8::9 mail.test\nbroken\n", path);
    NameServer server;
    server.on("mail.test", 1).record("mail.test", 1, 60, a_data("192.0.2.1"));
    auto options = options_for(server);
    options.hosts_file = path;
    dns::Resolver resolver(options);
    auto from_file = run(resolver.addresses("mail.test", dns::Families::any, true));
    REQUIRE(from_file.records.size() == 2);
    CHECK(from_file.records[0].ip() == "192.0.2.9");
    auto from_dns = run(resolver.addresses("mail.test", dns::Families::ipv4, false));
    REQUIRE(from_dns.records.size() == 1);
    CHECK(from_dns.records[0].ip() == "192.0.2.1");
    CHECK(run(resolver.reverse(*net::Address::parse_ip("192.0.2.9", 0), true)).name == "Mail.test");
    ::unlink(path);
}
