// host and workers: a process a uid, how it begins, serves and ends, and who is let in.
#include "catch.h"
#include "peer.h"

#include "login/host.h"
#include "login/hand_over.h"

#include <unistd.h>

#include <fcntl.h>

using login::Account;
using login::HandedOver;
using login::HandOver;
using login::Workers;

namespace {

// The sanitizers need system calls that the sandbox refuses.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif
#else
constexpr bool is_sanitized = false;
#endif

async::Task<> echo(net::Stream stream, login::Session session)
{
    stream.write(session.tag + " OK " + session.user + " " + session.remote + " " + std::to_string(::getpid()) + "\r\n");
    co_await stream.flush(async::no_limit);
    while (true) {
        auto text = co_await stream.line(async::no_limit, 1000);
        std::string line(text);
        if (line == "quit") co_return;
        if (line == "throw") throw std::runtime_error("fault in a session");
        if (line == "crash") ::_exit(7);
        if (line == "pid") line = std::to_string(::getpid());
        if (line == "descriptors") {
            int open = 0;
            for (int fd = 3; fd < 200; ++fd)
                if (::fcntl(fd, F_GETFD) >= 0) ++open;
            line = std::to_string(open);
        }
        stream.write(line + "\r\n");
        co_await stream.flush(async::no_limit);
    }
}

Workers::Limits limits(async::Limit idle = async::Limit(60'000), size_t most = 10)
{
    Workers::Limits made;
    made.idle = idle;
    made.sessions_per_user_and_address = most;
    made.sandboxed = !is_sanitized;
    return made;
}

Account account_of(const std::string& user)
{
    Account account;
    account.user = user;
    account.uid = ::geteuid();
    account.gid = ::getegid();
    account.home = "/tmp";
    return account;
}

HandOver message_for(Peer& peer, const std::string& pending = "")
{
    HandOver message;
    message.ticket = "t";
    message.connection = peer.theirs();
    message.pending = pending;
    message.session_id = "s";
    message.remote = "192.0.2.1";
    message.tag = "a1";
    message.user = "anna";
    return message;
}

int pid_of(Peer& peer)
{
    return std::stoi(peer.ask("pid"));
}

} // namespace

TEST_CASE("a worker serves many sessions of its uid")
{
    Workers workers("imap", limits(), echo);
    Peer one, two;
    auto answer = workers.give(message_for(one), account_of("anna"));
    CHECK(answer.verdict == HandedOver::taken);
    CHECK(answer.pid != 0);
    CHECK(static_cast<pid_t>(answer.pid) != ::getpid());
    CHECK(one.line() == "a1 OK anna 192.0.2.1 " + std::to_string(answer.pid) + "\r\n");
    workers.give(message_for(two), account_of("bert"));
    two.line();
    CHECK(pid_of(one) == pid_of(two));
    CHECK(workers.running() == 1);
    CHECK(workers.sessions() == 2);
    one.send("quit\r\n");
    run_until([&] { return workers.sessions() == 1; });
    CHECK(two.ask("still here") == "still here\r\n");
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("what the client sent after its login is not lost")
{
    Workers workers("imap", limits(), echo);
    Peer peer;
    workers.give(message_for(peer, "first\r\nsec"), account_of("anna"));
    peer.line();
    CHECK(peer.line() == "first\r\n");
    CHECK(peer.ask("ond") == "second\r\n");
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("a worker holds nothing of its supervisor's")
{
    Peer strangers[10];
    Workers workers("imap", limits(), echo);
    Peer peer;
    workers.give(message_for(peer), account_of("anna"));
    peer.line();
    CHECK(std::stoi(peer.ask("descriptors")) < 10);
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("a worker without sessions ends")
{
    Workers workers("imap", limits(async::Limit(0)), echo);
    Peer peer;
    workers.give(message_for(peer), account_of("anna"));
    peer.line();
    CHECK(workers.running() == 1);
    peer.send("quit\r\n");
    CHECK(peer.rest().empty());
    run_until([&] { return workers.running() == 0; });
    CHECK(workers.sessions() == 0);

    // The next session gets a new one.
    Peer next;
    CHECK(workers.give(message_for(next), account_of("anna")).verdict == HandedOver::taken);
    next.line();
    next.hang_up();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("a crash of a worker ends its sessions, and its count")
{
    Workers workers("imap", limits(), echo);
    Peer one, two;
    workers.give(message_for(one), account_of("anna"));
    workers.give(message_for(two), account_of("anna"));
    one.line();
    two.line();
    one.send("crash\r\n");
    CHECK(two.rest().empty());
    run_until([&] { return workers.running() == 0; });
    CHECK(workers.sessions() == 0);
    Peer three;
    CHECK(workers.give(message_for(three), account_of("anna")).verdict == HandedOver::taken);
    three.line();
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("a fault in one session ends that session alone")
{
    Workers workers("imap", limits(), echo);
    Peer one, two;
    workers.give(message_for(one), account_of("anna"));
    workers.give(message_for(two), account_of("anna"));
    one.line();
    two.line();
    one.send("throw\r\n");
    CHECK(one.rest().empty());
    CHECK(two.ask("hello") == "hello\r\n");
    run_until([&] { return workers.sessions() == 1; });
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("a drain lets sessions end in peace")
{
    Workers workers("imap", limits(), echo);
    Peer peer;
    workers.give(message_for(peer), account_of("anna"));
    peer.line();
    workers.drain();
    CHECK(peer.ask("hello") == "hello\r\n");
    CHECK(workers.running() == 1);
    peer.send("quit\r\n");
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("sessions are limited for each user and address")
{
    Workers workers("imap", limits(async::Limit(60'000), 2), echo);
    Peer one, two, three, other, elsewhere;
    CHECK(workers.give(message_for(one), account_of("anna")).verdict == HandedOver::taken);
    CHECK(workers.give(message_for(two), account_of("anna")).verdict == HandedOver::taken);
    CHECK(workers.give(message_for(three), account_of("anna")).verdict == HandedOver::too_many);
    CHECK(three.rest().empty());
    CHECK(workers.give(message_for(other), account_of("bert")).verdict == HandedOver::taken);
    auto message = message_for(elsewhere);
    message.remote = "192.0.2.2";
    CHECK(workers.give(std::move(message), account_of("anna")).verdict == HandedOver::taken);
    one.line();
    one.send("quit\r\n");
    run_until([&] { return workers.sessions() == 3; });
    Peer again;
    CHECK(workers.give(message_for(again), account_of("anna")).verdict == HandedOver::taken);
    workers.stop();
    run_until([&] { return workers.running() == 0; });
}

TEST_CASE("root has no session")
{
    auto rules = limits();
    rules.change_user = true;
    Workers workers("imap", rules, echo);
    Peer peer;
    auto account = account_of("root");
    account.uid = 0;
    CHECK(workers.give(message_for(peer), account).verdict == HandedOver::not_authenticated);
    CHECK(workers.running() == 0);
}

namespace {

async::Task<std::optional<Account>> redeem(const HandOver& message)
{
    if (message.ticket == "down") throw std::runtime_error("auth is down");
    if (message.ticket != "good") co_return std::nullopt;
    co_return account_of("anna");
}

struct Supervisor {
    Supervisor() : workers("imap", limits(), echo), redeem_by(redeem) {}
    ipc::Channel connect()
    {
        auto pair = ipc::make_pair();
        nursery.start(login::Host::take(ipc::Channel(std::move(pair.theirs)), workers, redeem_by));
        return ipc::Channel(std::move(pair.ours));
    }
    // Nothing: hung up on.
    std::optional<HandedOver> ask(ipc::Packet packet)
    {
        auto channel = connect();
        channel.send(std::move(packet));
        ipc::Packet answer;
        bool got = false;
        run_until([&] {
            got = got || channel.try_receive(answer);
            return got || channel.at_end();
        });
        if (!got) return std::nullopt;
        return ipc::unpack<HandedOver>(answer);
    }
    Workers workers;
    login::Redeem redeem_by;
    async::Nursery nursery{"hand-over"};
};

} // namespace

TEST_CASE("the supervisor believes tickets, and nothing else")
{
    Supervisor supervisor;
    Peer peer;
    auto message = message_for(peer);
    SECTION("a good one")
    {
        message.ticket = "good";
        auto answer = supervisor.ask(ipc::pack(std::move(message)));
        REQUIRE(answer);
        CHECK(answer->verdict == HandedOver::taken);
        peer.line();
    }
    SECTION("an unknown one")
    {
        message.ticket = "bad";
        auto answer = supervisor.ask(ipc::pack(std::move(message)));
        REQUIRE(answer);
        CHECK(answer->verdict == HandedOver::not_authenticated);
        CHECK(peer.rest().empty());
    }
    SECTION("one that can't be asked about")
    {
        message.ticket = "down";
        auto answer = supervisor.ask(ipc::pack(std::move(message)));
        REQUIRE(answer);
        CHECK(answer->verdict == HandedOver::unavailable);
    }
    SECTION("no connection")
    {
        message.ticket = "good";
        message.connection.reset();
        CHECK_FALSE(supervisor.ask(ipc::pack(std::move(message))));
    }
    SECTION("too much input")
    {
        message.ticket = "good";
        message.pending.assign(110 << 10, 'x');
        CHECK_FALSE(supervisor.ask(ipc::pack(std::move(message))));
    }
    SECTION("another message")
    {
        ipc::Packet packet;
        packet.type = 77;
        packet.bytes = "nonsense";
        CHECK_FALSE(supervisor.ask(std::move(packet)));
    }
    SECTION("a message cut short")
    {
        auto packet = ipc::pack(std::move(message));
        packet.bytes.resize(packet.bytes.size() / 2);
        CHECK_FALSE(supervisor.ask(std::move(packet)));
    }
    supervisor.workers.stop();
    run_until([&] { return supervisor.workers.running() == 0; });
}
