// Listening and connecting, and what ten thousand idle connections cost.
#include "net/listener.h"

#include "../async/run_task.h"
#include "async/nursery.h"
#include "catch.h"

#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

using async::Task;
using net::Address;
using net::Gone;
using net::Stream;

namespace {

Address bound(const base::Fd& fd)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    REQUIRE(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &size) == 0);
    return Address(reinterpret_cast<sockaddr*>(&storage), size);
}

Address loopback(uint16_t port = 0) { return *Address::parse_ip("127.0.0.1", port); }

Task<Stream> connected(Address to, net::Limit limit = std::chrono::seconds(10), Address from = {})
{
    Stream stream = co_await net::connect(to, limit, from);
    co_return stream;
}

Task<std::string> read_line(Stream& stream)
{
    std::string_view line = co_await stream.line(std::chrono::seconds(10), 1000);
    co_return std::string(line);
}

Task<> flush(Stream& stream) { co_await stream.flush(std::chrono::seconds(10)); }

// A session as a server has it: it waits for a line, and says it back.
Task<> echo(Stream stream, int& served)
{
    try {
        while (true) {
            std::string_view line = co_await stream.line(net::no_limit, 1000);
            stream.write(std::string(line) + "\r\n");
            ++served;
            co_await stream.flush(std::chrono::seconds(10));
        }
    } catch (const Gone&) {
    }
}

size_t resident_bytes()
{
    std::ifstream status("/proc/self/statm");
    size_t total = 0, resident = 0;
    status >> total >> resident;
    return resident * static_cast<size_t>(::sysconf(_SC_PAGESIZE));
}

// Up to `wanted` descriptors; how many there are.
size_t raise_descriptor_limit(rlim_t wanted)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, wanted));
    ::setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

} // namespace

TEST_CASE("connections are taken and served", "[net]")
{
    base::Fd listening = net::listen_on(loopback());
    async::Nursery nursery("test");
    int served = 0;
    std::vector<std::string> peers;
    auto take = [&](base::Fd fd, Address peer) {
        peers.push_back(peer.ip());
        nursery.start(echo(Stream(std::move(fd), peer), served));
    };
    nursery.start(net::accept_connections(listening.get(), take));
    for (int i = 0; i < 20; ++i) {
        Stream stream = run_task(connected(bound(listening), std::chrono::seconds(10), loopback()));
        stream.write("hello " + std::to_string(i) + "\r\n");
        run_task(flush(stream));
        CHECK(run_task(read_line(stream)) == "hello " + std::to_string(i));
        CHECK(stream.peer().text() == bound(listening).text());
    }
    CHECK(peers == std::vector<std::string>(20, "127.0.0.1"));
}

TEST_CASE("nobody is taken while there is no room, and nobody is lost", "[net]")
{
    base::Fd listening = net::listen_on(loopback());
    async::Nursery nursery("test");
    std::vector<base::Fd> taken;
    bool room = false;
    auto take = [&](base::Fd fd, Address) { taken.push_back(std::move(fd)); };
    nursery.start(net::accept_connections(listening.get(), take, [&] { return room && taken.size() < 10; }));
    std::vector<Stream> clients;
    for (int i = 0; i < 15; ++i) clients.push_back(run_task(connected(bound(listening))));
    run_rounds();
    CHECK(taken.empty());
    room = true;
    CHECK(run_until([&] { return taken.size() == 10; }));
    run_rounds();
    CHECK(taken.size() == 10);
    taken.clear();
    CHECK(run_until([&] { return taken.size() == 5; }));
}

TEST_CASE("a connection that is refused or does not come in time", "[net]")
{
    Address closed;
    {
        base::Fd listening = net::listen_on(loopback());
        closed = bound(listening);
    }
    auto why = [](Task<Stream> task) {
        try {
            task.done() ? task.take() : run_task(std::move(task));
        } catch (const Gone& gone) {
            return std::string(gone.why() == Gone::failed ? "failed: " : gone.why() == Gone::timed_out ? "timed out: " : "closed: ") + gone.what();
        }
        return std::string("connected");
    };
    CHECK(why(connected(closed)) == "failed: Connection refused");
    CHECK(why(connected(Address::unix_path("/nonexistent/socket"))) == "failed: No such file or directory");
    CHECK(why(connected(loopback(25), std::chrono::seconds(1), *Address::parse_ip("192.0.2.1", 0))).find("failed: ") == 0);
    // A full backlog does not answer.
    base::Fd full = net::listen_on(loopback(), 0);
    std::vector<Task<Stream>> waiting;
    for (int i = 0; i < 4; ++i) {
        waiting.push_back(connected(bound(full), std::chrono::milliseconds(50)));
        waiting.back().start();
    }
    run_until([&] { return std::all_of(waiting.begin(), waiting.end(), [](const auto& task) { return task.done(); }); });
    int timed_out = 0;
    for (auto& task : waiting) timed_out += why(std::move(task)).find("timed out") == 0;
    CHECK(timed_out > 0);
}

TEST_CASE("a Unix socket takes the place of an old one, with its mode", "[net]")
{
    char folder[] = "/tmp/net-test.XXXXXX";
    REQUIRE(::mkdtemp(folder));
    Address where = Address::unix_path(std::string(folder) + "/socket");
    base::Fd old = net::listen_on(where);
    base::Fd fresh = net::listen_on(where, 16, SOCK_STREAM, 0600);
    struct stat info;
    REQUIRE(::stat(where.text().c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    Stream stream = run_task(connected(where));
    CHECK(base::Fd(::accept(fresh.get(), nullptr, nullptr)));
    std::filesystem::remove_all(folder);
    CHECK_THROWS_AS(net::listen_on(where), base::SystemError);
    CHECK_THROWS_AS(net::listen_on(*Address::parse_ip("192.0.2.1", 0)), base::SystemError);
}

TEST_CASE("ten thousand idle connections cost little memory each", "[net]")
{
    // Both ends of each are ours; a machine that allows fewer descriptors has fewer connections.
    size_t count = std::min<size_t>(10000, (raise_descriptor_limit(20200) - 200) / 2);
    base::Fd listening = net::listen_on(loopback());
    Address where = bound(listening);
    std::vector<base::Fd> clients;
    clients.reserve(count);
    async::Nursery nursery("test");
    int served = 0;
    size_t taken = 0;
    auto take = [&](base::Fd fd, Address peer) {
        ++taken;
        nursery.start(echo(Stream(std::move(fd), peer), served));
    };
    nursery.start(net::accept_connections(listening.get(), take));
    size_t before = resident_bytes();
    for (size_t i = 0; i < count; ++i) {
        clients.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        int fd = clients.back().get();
        if (fd < 0 || ::connect(fd, where.data(), where.size()) != 0) return;   // the machine has no room for so many
        if (i % 500 == 499) REQUIRE(run_until([&] { return taken == i + 1; }));
    }
    REQUIRE(run_until([&] { return taken == count; }));
    REQUIRE(nursery.size() == count + 1);
    // Each has spoken once, so that buffers that would stay are there.
    for (const auto& client : clients) base::write_all(client.get(), "NOOP\r\n", "client");
    REQUIRE(run_until([&] { return served == static_cast<int>(count); }));
    size_t each = (resident_bytes() - before) / count;
    CAPTURE(each);
    CHECK(each < 64 << 10);
}
