// Channels: order, slow peers, descriptors on their way, peers that go.
#include "ipc/channel.h"

#include "../async/run_task.h"
#include "async/nursery.h"
#include "catch.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace ipc;

namespace {

struct Numbered {
    static constexpr uint16_t type = 1;
    uint32_t number = 0;
    std::string filling;
    base::Fd file;
    template <class V> void fields(V& v) { v(number, filling, file); }
};

struct Ends {
    Ends() : Ends(make_pair()) {}
    explicit Ends(Pair pair) : a(std::in_place, std::move(pair.ours)), b(std::in_place, std::move(pair.theirs)) {}
    std::optional<Channel> a, b;
};

Numbered numbered(uint32_t number, size_t size = 0)
{
    Numbered n;
    n.number = number;
    n.filling.assign(size, 'x');
    return n;
}

async::Task<std::optional<Packet>> receive(Channel& channel)
{
    auto packet = co_await channel.receive();
    co_return packet;
}

} // namespace

TEST_CASE("packets arrive in order, whatever their sizes", "[ipc]")
{
    Ends ends;
    size_t sizes[] = {0, 1, 1000, largest_packet - 100, 0, 65536};
    for (uint32_t i = 0; i < 6; ++i) CHECK(ends.a->post(numbered(i, sizes[i])));
    for (uint32_t i = 0; i < 6; ++i) {
        auto packet = run_task(receive(*ends.b));
        REQUIRE(packet);
        auto n = unpack<Numbered>(*packet);
        CHECK(n.number == i);
        CHECK(n.filling.size() == sizes[i]);
    }
    CHECK_FALSE(ends.b->peek_type());
}

TEST_CASE("a slow peer gets everything in order later", "[ipc]")
{
    Ends ends;
    constexpr uint32_t count = 500;
    for (uint32_t i = 0; i < count; ++i) CHECK(ends.a->post(numbered(i, 10000)));
    CHECK(ends.a->unsent() > 0);
    uint32_t next = 0;
    bool in_order = true;
    CHECK(run_until([&] {
        Packet packet;
        for (int i = 0; i < 7 && ends.b->try_receive(packet); ++i) in_order = in_order && unpack<Numbered>(packet).number == next++;
        return next == count;
    }));
    CHECK(in_order);
    CHECK(ends.a->unsent() == 0);
}

TEST_CASE("descriptors travel with their packet", "[ipc]")
{
    Ends ends;
    constexpr uint32_t count = 100;
    for (uint32_t i = 0; i < count; ++i) {
        auto n = numbered(i, 20000);
        int both[2];
        REQUIRE(::pipe2(both, O_CLOEXEC) == 0);
        base::Fd reading(both[0]), writing(both[1]);
        base::write_all(writing.get(), std::to_string(i), "pipe");
        n.file = std::move(reading);
        ends.a->post(std::move(n));
    }
    uint32_t good = 0;
    for (uint32_t i = 0; i < count; ++i) {
        auto packet = run_task(receive(*ends.b));
        REQUIRE(packet);
        auto n = unpack<Numbered>(*packet);
        CHECK((::fcntl(n.file.get(), F_GETFD) & FD_CLOEXEC) != 0);
        good += base::read_all(n.file.get(), "pipe") == std::to_string(i);
    }
    CHECK(good == count);
}

TEST_CASE("what is too large is not sent", "[ipc]")
{
    Ends ends;
    CHECK_THROWS_AS(ends.a->post(numbered(1, largest_packet)), Malformed);
    Packet many;
    for (size_t i = 0; i <= most_descriptors; ++i) many.descriptors.push_back(base::open_file("/dev/null", O_RDONLY));
    CHECK_THROWS_AS(ends.a->send(std::move(many)), Malformed);
    CHECK(ends.a->post(numbered(2)));
    auto packet = run_task(receive(*ends.b));
    REQUIRE(packet);
    CHECK(unpack<Numbered>(*packet).number == 2);
}

TEST_CASE("what was sent before the peer went is received, then the end", "[ipc]")
{
    Ends ends;
    ends.a->post(numbered(1));
    ends.a->post(numbered(2));
    ends.a.reset();
    CHECK(run_task(receive(*ends.b)));
    CHECK_FALSE(ends.b->at_end());
    CHECK(run_task(receive(*ends.b)));
    CHECK_FALSE(run_task(receive(*ends.b)));
    CHECK(ends.b->at_end());
    CHECK_FALSE(run_task(receive(*ends.b)));
    CHECK_FALSE(ends.b->post(numbered(3)));
}

TEST_CASE("who waits for a packet hears that the peer has gone", "[ipc]")
{
    Ends ends;
    auto task = receive(*ends.b);
    task.start();
    run_rounds(2);
    CHECK_FALSE(task.done());
    ends.a.reset();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK_FALSE(task.take());
}

TEST_CASE("a peer that goes while much waits for it frees what waits", "[ipc]")
{
    Ends ends;
    for (uint32_t i = 0; i < 200; ++i) ends.a->post(numbered(i, 20000));
    CHECK(ends.a->unsent() > 0);
    ends.b.reset();
    CHECK(run_until([&] { return ends.a->unsent() == 0; }));
    CHECK_FALSE(ends.a->post(numbered(1)));
}

TEST_CASE("strangers' packets are malformed or the end, never more", "[ipc]")
{
    Pair pair = make_pair();
    Channel channel(std::move(pair.ours));
    int fd = pair.theirs.get();
    auto put = [&](size_t size) {
        std::string bytes(size, '\1');
        REQUIRE(::send(fd, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(size));
        run_rounds(2);
    };
    Packet packet;
    put(1);                             // no room for a type
    CHECK_THROWS_AS(channel.try_receive(packet), Malformed);
    put(largest_packet + 100);
    CHECK_THROWS_AS(channel.try_receive(packet), Malformed);
    put(2);
    CHECK(channel.peek_type() == 0x0101);
    CHECK(channel.try_receive(packet));
    CHECK(packet.bytes.empty());
    CHECK_THROWS_AS(unpack<Numbered>(packet), Malformed);
}

TEST_CASE("more descriptors than allowed are closed, and malformed", "[ipc]")
{
    Pair pair = make_pair();
    Channel channel(std::move(pair.ours));
    constexpr size_t count = 50;
    int numbers[count];
    for (int& number : numbers) number = 0;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof numbers)] = {};
    char bytes[4] = {1, 0, 1, 0};
    iovec part{bytes, sizeof bytes};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* entry = CMSG_FIRSTHDR(&message);
    entry->cmsg_level = SOL_SOCKET;
    entry->cmsg_type = SCM_RIGHTS;
    entry->cmsg_len = CMSG_LEN(sizeof numbers);
    std::memcpy(CMSG_DATA(entry), numbers, sizeof numbers);
    int before = base::open_file("/dev/null", O_RDONLY).get();
    REQUIRE(::sendmsg(pair.theirs.get(), &message, 0) == 4);
    run_rounds(2);
    {
        Packet packet;
        CHECK_THROWS_AS(channel.try_receive(packet), Malformed);
    }
    CHECK(base::open_file("/dev/null", O_RDONLY).get() == before);
}

TEST_CASE("the peer is known by its process", "[ipc]")
{
    Ends ends;
    CHECK(ends.a->peer().pid == ::getpid());
    CHECK(ends.a->peer().uid == ::getuid());
    base::Fd fd = ends.a->release();
    CHECK(fd);
    Channel again(std::move(fd));
    CHECK(again.post(numbered(4)));
    CHECK(run_task(receive(*ends.b)));
    CHECK_THROWS_AS(connect_to("/nonexistent/socket"), base::SystemError);
    CHECK_THROWS_AS(connect_to(std::string(200, 'x')), base::SystemError);
}
