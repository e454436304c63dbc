// Counts of clients, over several processes that share the memory.
#include "ipc/client_counts.h"

#include "catch.h"

#include <sys/wait.h>
#include <unistd.h>

using ipc::ClientCounts;
using ipc::ClientEvent;

namespace {

constexpr std::chrono::seconds minute(60);

// Runs work in another process, which then dies without cleaning up.
template <class Work> void elsewhere(Work work)
{
    pid_t pid = ::fork();
    if (pid == 0) {
        work();
        ::_exit(0);
    }
    int status = 0;
    ::waitpid(pid, &status, 0);
    CHECK(status == 0);
}

} // namespace

TEST_CASE("connections and rates are counted by client", "[ipc]")
{
    ClientCounts counts;
    CHECK(counts.connect("smtp:192.0.2.1", minute).open == 1);
    auto second = counts.connect("smtp:192.0.2.1", minute);
    CHECK(second.open == 2);
    CHECK(second.rate == 2);
    CHECK(counts.connect("smtp:192.0.2.2", minute).open == 1);
    counts.disconnect("smtp:192.0.2.1");
    auto third = counts.connect("smtp:192.0.2.1", minute);
    CHECK(third.open == 2);
    CHECK(third.rate == 3);
    CHECK(counts.rate("smtp:192.0.2.1", ClientEvent::new_tls, minute) == 0);
    for (int i = 1; i <= 3; ++i) CHECK(counts.add("smtp:192.0.2.1", ClientEvent::message, minute) == i);
    CHECK(counts.rate("smtp:192.0.2.1", ClientEvent::message, minute) == 3);
    CHECK(counts.rate("smtp:192.0.2.2", ClientEvent::message, minute) == 0);
    counts.disconnect("smtp:nobody");
}

TEST_CASE("processes count together, and a dead one's connections are forgotten", "[ipc]")
{
    base::Fd shared = ClientCounts::make();
    ClientCounts counts(shared.duplicate());
    CHECK(counts.connect("smtp:192.0.2.1", minute).open == 1);
    elsewhere([&] {
        auto* other = new ClientCounts(shared.duplicate());
        if (other->connect("smtp:192.0.2.1", minute).open != 2) ::_exit(1);
        other->add("smtp:192.0.2.1", ClientEvent::message, minute);
    });
    CHECK(counts.add("smtp:192.0.2.1", ClientEvent::message, minute) == 2);
    CHECK(counts.connect("smtp:192.0.2.1", minute).open == 3);      // nobody has noticed yet
    ClientCounts next(shared.duplicate());
    CHECK(next.connect("smtp:192.0.2.1", minute).open == 3);
    CHECK(next.connect("smtp:192.0.2.1", minute).rate == 5);
}

TEST_CASE("more clients than there is room for do no harm", "[ipc]")
{
    ClientCounts counts;
    for (int i = 0; i < 20000; ++i) counts.add("smtp:10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256), ClientEvent::message, minute);
    // Who has a connection open is not pushed out.
    counts.connect("smtp:192.0.2.1", minute);
    for (int i = 0; i < 20000; ++i) counts.add("smtp:10.1." + std::to_string(i / 256) + "." + std::to_string(i % 256), ClientEvent::message, minute);
    CHECK(counts.connect("smtp:192.0.2.1", minute).open == 2);
    for (int i = 0; i < 20000; ++i) counts.connect("smtp:10.2." + std::to_string(i / 256) + "." + std::to_string(i % 256), minute);
    CHECK(counts.connect(std::string(500, 'x'), minute).open <= 1);
}

TEST_CASE("the extremes are reported once", "[ipc]")
{
    ClientCounts counts;
    CHECK(counts.report(std::chrono::seconds(0), minute).empty());
    for (int i = 0; i < 3; ++i) counts.connect("smtp:192.0.2.1", minute);
    counts.connect("smtp:192.0.2.2", minute);
    counts.add("smtp:192.0.2.2", ClientEvent::auth, minute);
    CHECK(counts.report(std::chrono::seconds(600), minute).empty());    // not yet
    auto lines = counts.report(std::chrono::seconds(0), minute);
    REQUIRE(lines.size() == 4);
    CHECK(lines[0].find("statistics: max connection rate 3/60s for (smtp:192.0.2.1) at ") == 0);
    CHECK(lines[1].find("statistics: max connection count 3 for (smtp:192.0.2.1) at ") == 0);
    CHECK(lines[2].find("statistics: max auth rate 1/60s for (smtp:192.0.2.2) at ") == 0);
    CHECK(lines[3].find("statistics: max cache size 2 at ") == 0);
    CHECK(counts.report(std::chrono::seconds(0), minute).empty());
}
