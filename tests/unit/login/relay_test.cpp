// relay: bytes both ways, a slow side, ends of one side and of both.
#include "catch.h"
#include "peer.h"

#include "async/nursery.h"
#include "login/relay.h"

using login::Relay;

namespace {

struct Line {
    Line() : client(client_peer.theirs(), net::Address::unix_path("")), session(session_peer.theirs(), net::Address::unix_path("")) {}
    Peer client_peer, session_peer;
    net::Stream client, session;
};

std::string pattern(size_t size)
{
    std::string text;
    for (size_t i = 0; text.size() < size; ++i) text += std::to_string(i) + "\n";
    text.resize(size);
    return text;
}

size_t queued(int fd)
{
    size_t total = 0;
    std::string space(1 << 22, '\0');
    ssize_t got = ::recv(fd, space.data(), space.size(), MSG_PEEK);
    if (got > 0) total = static_cast<size_t>(got);
    return total;
}

} // namespace

TEST_CASE("a relay carries words both ways")
{
    Line line;
    Relay relay(line.client, line.session);
    line.client_peer.send("a1 NOOP\r\n");
    CHECK(line.session_peer.line() == "a1 NOOP\r\n");
    line.session_peer.send("a1 OK\r\n");
    CHECK(line.client_peer.line() == "a1 OK\r\n");
    CHECK_FALSE(relay.finished().ready());
}

TEST_CASE("a relay carries much, whole and in order")
{
    Line line;
    Relay relay(line.client, line.session);
    std::string text = pattern(3'000'000);
    size_t sent = 0;
    run_until([&] {
        while (sent < text.size()) {
            ssize_t put = ::send(line.session_peer.fd(), text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
            if (put <= 0) break;
            sent += static_cast<size_t>(put);
        }
        line.client_peer.listen();
        return line.client_peer.heard().size() >= text.size();
    });
    CHECK(line.client_peer.heard() == text);
}

TEST_CASE("a client that does not read stops the session, not the memory")
{
    Line line;
    Relay relay(line.client, line.session);
    std::string text = pattern(64 << 10);
    size_t sent = 0;
    int rounds_without = 0;
    while (rounds_without < 20 && sent < (64u << 20)) {
        ssize_t put = ::send(line.session_peer.fd(), text.data(), text.size(), MSG_NOSIGNAL);
        rounds_without = put > 0 ? 0 : rounds_without + 1;
        if (put > 0) sent += static_cast<size_t>(put);
        async::loop().run_once(async::Limit(1));
    }
    CHECK(sent < (8u << 20));
    size_t waiting = queued(line.client_peer.fd());
    CHECK(waiting > 0);

    // The other direction is not held up by it.
    line.client_peer.send("x\r\n");
    CHECK(line.session_peer.line() == "x\r\n");

    // When it reads on, all of it comes.
    run_until([&] {
        line.client_peer.listen();
        return line.client_peer.heard().size() == sent;
    });
    CHECK(line.client_peer.heard().size() == sent);
}

TEST_CASE("a client that only stops sending gets its answer")
{
    Line line;
    Relay relay(line.client, line.session);
    line.client_peer.send("a1 FETCH\r\n");
    line.client_peer.stop_sending();
    CHECK(line.session_peer.rest() == "a1 FETCH\r\n");      // the session sees the end
    CHECK_FALSE(relay.finished().ready());
    line.session_peer.send("a1 OK\r\n");
    line.session_peer.hang_up();
    CHECK(line.client_peer.line() == "a1 OK\r\n");
    run_until([&] { return relay.finished().ready(); });
}

TEST_CASE("the end of the session ends the relay after its last words")
{
    Line line;
    Relay relay(line.client, line.session);
    std::string text = pattern(60'000);
    line.session_peer.send(text);
    line.session_peer.hang_up();
    run_until([&] {
        line.client_peer.listen();
        return relay.finished().ready();
    });
    line.client_peer.listen();
    CHECK(line.client_peer.heard() == text);
}

TEST_CASE("a client that is gone ends the session")
{
    Line line;
    Relay relay(line.client, line.session);
    line.client_peer.hang_up();
    CHECK(line.session_peer.rest().empty());
    line.session_peer.send("late\r\n");
    run_until([&] { return relay.finished().ready(); });
}
