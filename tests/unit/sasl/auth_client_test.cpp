// auth_client_test: the client's side of the dialogue with auth, whose lines are played by the test.
#include "catch.h"
#include "sasl/auth_client.h"
#include "sasl/auth_master.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

using namespace sasl;

namespace {

constexpr net::Limit limit{5000};

net::Stream stream_over(int fd) { return net::Stream(base::Fd(fd), net::Address::unix_path("auth")); }

// The other end of each connection that the client makes.
struct Auth {
    explicit Auth(AuthClient& client)
    {
        client.connect_by([this] {
            int fds[2];
            if (::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0) throw base::SystemError("socketpair");
            ++connections;
            end = base::Fd(fds[1]);
            return stream_over(fds[0]);
        });
    }
    void say(std::string_view lines) { base::write_all(end.get(), lines, "client"); }
    void greet()
    {
        say("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nMECH\tSCRAM-SHA-256\tactive\tmutual-"
            "auth\nNEWS\nSPID\t77\nCUID\t1\nCOOKIE\tabcd\nDONE\n");
    }
    std::string heard()
    {
        char bytes[4096];
        ssize_t got = ::recv(end.get(), bytes, sizeof bytes, MSG_DONTWAIT);
        return got > 0 ? std::string(bytes, static_cast<size_t>(got)) : "";
    }
    base::Fd end;
    int connections = 0;
};

template <class T> T finish(async::Task<T>& task)
{
    while (!task.done()) async::loop().run_once(async::Limit(1000));
    return task.take();
}

void let_run()
{
    for (int i = 0; i < 20; ++i) async::loop().run_once(async::Limit(1));
}

Request plain(bool ticket = false)
{
    Request request("plain", "smtp");
    request.initial_response = Secret(std::string_view("\0u\0p", 4));
    request.secured = true;
    request.wants_ticket = ticket;
    request.remote = *net::Address::parse_ip("192.0.2.1", 4711);
    request.local = *net::Address::parse_ip("::1", 25);
    return request;
}

} // namespace

TEST_CASE("mechanisms are told as auth offers them", "[sasl]")
{
    AuthClient client("nowhere");
    Auth auth(client);
    auto task = client.mechanisms(limit);
    task.start();
    auth.greet();
    auto found = finish(task);
    REQUIRE(found.size() == 2);
    CHECK(found[0].name == "PLAIN");
    CHECK(found[0].plaintext);
    CHECK_FALSE(found[0].mutual_auth);
    CHECK(found[1].mutual_auth);
    CHECK(auth.heard() == "VERSION\t1\t2\nCPID\t" + std::to_string(::getpid()) + "\n");
}

TEST_CASE("a login is asked and answered", "[sasl]")
{
    AuthClient client("nowhere");
    Auth auth(client);
    struct Case {
        const char* answer;
        Step::Kind kind;
        const char* user;
        bool temporary;
        const char* code;
    };
    const Case cases[] = {
        {"OK\t1\tuser=joe\n", Step::ok, "joe", false, ""},
        {"OK\t1\n", Step::fail, "", true, "temp_fail"},
        {"FAIL\t1\tuser=joe\n", Step::fail, "joe", false, ""},
        {"FAIL\t1\n", Step::fail, "", false, ""},
        {"FAIL\t1\tuser=joe\ttemp\n", Step::fail, "joe", true, ""},
        {"FAIL\t1\tuser=joe\tcode=temp_fail\n", Step::fail, "joe", true, "temp_fail"},
        {"FAIL\t1\tuser_disabled\n", Step::fail, "", false, "user_disabled"},
        {"WHAT\t1\nFAIL\t99\nOK\t1\tuser=joe\n", Step::ok, "joe", false, ""},
        {"OK\tx\n", Step::fail, "", true, "temp_fail"},
        {"OK\n", Step::fail, "", true, "temp_fail"},
        {"CONT\t1\t!!\n", Step::fail, "", true, "temp_fail"},
    };
    for (const auto& c : cases) {
        CAPTURE(c.answer);
        AuthClient each("nowhere");
        Auth other(each);
        Exchange exchange(each);
        auto task = exchange.start(plain(), limit);
        task.start();
        other.greet();
        let_run();
        std::string heard = other.heard();
        CHECK(heard.substr(heard.find("AUTH")) == "AUTH\t1\tPLAIN\tservice=smtp\tnologin\tlip=::1\tlport=25\trip=192.0."
                                                  "2.1\trport=4711\tsecured\tresp=AHUAcA==\n");
        other.say(c.answer);
        Step step = finish(task);
        CHECK(step.kind == c.kind);
        CHECK(step.user == c.user);
        CHECK(step.temporary == c.temporary);
        CHECK(step.code == c.code);
        CHECK_FALSE(step.ticket);
    }
}

TEST_CASE("auth is told what the TLS session says of the client, and SCRAM what it can be bound to", "[sasl]")
{
    auto asked = [](const char* mechanism) {
        AuthClient client("nowhere");
        Auth auth(client);
        Exchange exchange(client);
        Request request(mechanism, "smtp");
        request.certificate_name = "joe\tuser";
        request.tls_exporter = "exporter";
        request.tls_server_end_point = "end";
        auto task = exchange.start(std::move(request), limit);
        task.start();
        auth.greet();
        let_run();
        std::string heard = auth.heard();
        return heard.substr(heard.find("AUTH"));
    };
    std::string start = "\tservice=smtp\tnologin\tvalid-client-cert\tcert_username=joe\001tuser";
    CHECK(asked("EXTERNAL") == "AUTH\t1\tEXTERNAL" + start + "\n");
    CHECK(asked("SCRAM-SHA-1") == "AUTH\t1\tSCRAM-SHA-1" + start + "\ttls_exporter=ZXhwb3J0ZXI=\ttls_server_end_point=ZW5k\n");
    Mechanism usual, hidden, plus;
    hidden.is_private = plus.is_private = plus.binds = true;
    CHECK((usual.is_offered(false) && plus.is_offered(true)));
    CHECK_FALSE((hidden.is_offered(true) || plus.is_offered(false)));
}

TEST_CASE("challenges go to and fro, and exchanges do not mix", "[sasl]")
{
    AuthClient client("nowhere");
    Auth auth(client);
    Exchange one(client), two(client);
    Request login("LOGIN", "imap");
    login.wants_ticket = true;
    auto first = one.start(std::move(login), limit);
    auto second = two.start(plain(), limit);
    first.start();
    second.start();
    auth.greet();
    let_run();
    CHECK(auth.connections == 1);
    auth.say("OK\t2\tuser=second\nCONT\t1\tVXNlcm5hbWU6\n");
    CHECK(finish(second).user == "second");
    Step step = finish(first);
    REQUIRE(step.kind == Step::challenge);
    CHECK(step.text == "Username:");

    auth.heard();
    auto third = one.go_on(Secret(std::string("joe")), limit);
    third.start();
    let_run();
    CHECK(auth.heard() == "CONT\t1\tam9l\n");
    auth.say("OK\t1\tuser=joe\n");
    step = finish(third);
    REQUIRE(step.kind == Step::ok);
    REQUIRE(step.ticket);
    CHECK(step.ticket->text() == "77:" + std::to_string(::getpid()) + ":1:abcd");
}

TEST_CASE("giving up tells auth, and a slow auth is a failure for now", "[sasl]")
{
    AuthClient client("nowhere");
    Auth auth(client);
    {
        Exchange exchange(client);
        auto task = exchange.start(plain(), limit);
        task.start();
        auth.greet();
        let_run();
        auth.heard();
    }
    let_run();
    CHECK(auth.heard() == "CANCEL\t1\n");
    Exchange slow(client);
    auto task = slow.start(plain(), net::Limit(1));
    task.start();
    Step step = finish(task);
    CHECK(step.kind == Step::fail);
    CHECK(step.temporary);
}

TEST_CASE("a lost connection fails what waits, and the next login connects again", "[sasl]")
{
    AuthClient client("nowhere");
    Auth auth(client);
    Exchange exchange(client);
    auto first = exchange.start(plain(), limit);
    first.start();
    auth.greet();
    let_run();
    auth.end.reset();
    CHECK(finish(first).temporary);

    auto second = exchange.start(plain(), limit);
    second.start();
    CHECK(auth.connections == 2);
    auth.greet();
    let_run();
    auth.say("OK\t2\tuser=joe\n");
    CHECK(finish(second).kind == Step::ok);

    auth.say(std::string(100000, 'x'));
    let_run();
    auto third = exchange.start(plain(), net::Limit(1));
    third.start();
    CHECK(finish(third).temporary);
}

TEST_CASE("no auth at all is a failure for now", "[sasl]")
{
    AuthClient client("/tmp/there-is-no-such-socket");
    auto asked = client.mechanisms(limit);
    asked.start();
    CHECK(finish(asked).empty());
    Exchange exchange(client);
    auto task = exchange.start(plain(), limit);
    task.start();
    CHECK(finish(task).temporary);
    AuthClient odd("unix:" + std::string(300, 'x'));
    auto odd_task = odd.mechanisms(limit);
    odd_task.start();
    CHECK(finish(odd_task).empty());
}

TEST_CASE("a session stage hears who its ticket belongs to", "[sasl]")
{
    struct Case {
        const char* answer;
        bool throws, found;
    };
    const Case cases[] = {
        {"VERSION\t1\t2\nSPID\t1\nUSER\t1\tjoe\tuid=1000\tgid=1001\thome=/home/joe\tmail=maildir:~/"
         "Maildir\tquota=1\001t2\n",
         false, true},
        {"VERSION\t1\t2\nNOTFOUND\t1\n", false, false},
        {"NOTFOUND\t2\nFAIL\t1\treason=no\n", true, false},
        {"VERSION\t2\t0\n", true, false},
        {"USER\t1\n", true, false},
        {"USER\t1\tjoe\tuid=root\n", true, false},
        {"USER\t1\tjoe\001\n", true, false},
        {"", true, false},
    };
    for (const auto& c : cases) {
        CAPTURE(c.answer);
        int fds[2];
        REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0);
        net::Stream stream = stream_over(fds[0]);
        base::Fd end(fds[1]);
        base::write_all(end.get(), c.answer, "client");
        ::shutdown(end.get(), SHUT_WR);
        Ticket ticket;
        ticket.client_pid = 5;
        ticket.request = 9;
        ticket.cookie = "abcd";
        auto task = redeem_over(stream, ticket, limit);
        task.start();
        if (c.throws) {
            CHECK_THROWS_AS(finish(task), Unavailable);
            continue;
        }
        auto user = finish(task);
        REQUIRE(user.has_value() == c.found);
        char bytes[500] = "";
        REQUIRE(::read(end.get(), bytes, sizeof bytes - 1) > 0);
        CHECK(std::strstr(bytes, "VERSION\t1\t2\nREQUEST\t1\t5\t9\tabcd\tsession_pid="));
        if (!user) continue;
        CHECK(user->name == "joe");
        CHECK(user->uid == uid_t(1000));
        CHECK(user->gid == gid_t(1001));
        CHECK(user->home == "/home/joe");
        CHECK(user->mail == "maildir:~/Maildir");
        CHECK(user->more.at("quota") == "1\t2");
    }
}
