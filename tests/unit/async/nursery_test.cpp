// The nursery: it owns tasks, frees those that ended, and is told of those that failed.
#include "async/nursery.h"

#include "base/fd.h"
#include "base/log.h"
#include "catch.h"
#include "run_task.h"

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

using async::Nursery;
using async::Task;

namespace {

struct Counted {
    explicit Counted(int& count) : count(count) { ++count; }
    Counted(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
};

Task<> hold(async::Flag& flag, int& alive)
{
    Counted here(alive);
    co_await async::wait(flag);
}

Task<> end_at_once(int& ran)
{
    ++ran;
    co_return;
}

Task<> fail(bool at_once)
{
    if (!at_once) co_await async::Yield();
    throw std::runtime_error("something broke");
}

Task<> start_more(Nursery& nursery, int depth, int& ran)
{
    ++ran;
    co_await async::Yield();
    for (int i = 0; depth > 0 && i < 3; ++i) nursery.start(start_more(nursery, depth - 1, ran));
}

Task<bool> drained(Nursery& nursery)
{
    bool empty = co_await async::wait(nursery.empty(), std::chrono::seconds(10));
    co_return empty;
}

} // namespace

TEST_CASE("a nursery frees what has ended", "[async]")
{
    Nursery nursery("test");
    int ran = 0;
    for (int i = 0; i < 1000; ++i) nursery.start(end_at_once(ran));
    CHECK(ran == 1000);
    CHECK(run_task(drained(nursery)));
    CHECK(nursery.size() == 0);
    CHECK(run_task(drained(nursery)));
}

TEST_CASE("a nursery waits for the last of many", "[async]")
{
    Nursery nursery("test");
    async::Flag flags[10];
    int alive = 0;
    for (auto& flag : flags) nursery.start(hold(flag, alive));
    auto wait = drained(nursery);
    wait.start();
    for (auto& flag : flags) {
        run_rounds(2);
        CHECK_FALSE(wait.done());
        flag.set();
    }
    REQUIRE(run_until([&] { return wait.done(); }));
    CHECK(wait.take());
    CHECK(alive == 0);
}

TEST_CASE("tasks may start others in their nursery", "[async]")
{
    Nursery nursery("test");
    int ran = 0;
    nursery.start(start_more(nursery, 5, ran));
    CHECK(run_task(drained(nursery)));
    CHECK(ran == 364);
}

TEST_CASE("cancelling destroys what still runs", "[async]")
{
    async::Flag flag;
    int alive = 0;
    async::Flag own[3];
    {
        Nursery nursery("test");
        for (auto& each : own) nursery.start(hold(each, alive));
        CHECK(alive == 3);
        nursery.cancel();
        CHECK(alive == 0);
        CHECK(nursery.size() == 0);
        nursery.start(hold(flag, alive));
        CHECK(alive == 1);
    }
    CHECK(alive == 0);
    flag.set();
    run_rounds();
}

TEST_CASE("a task that ended and was not yet freed can be cancelled", "[async]")
{
    int ran = 0;
    {
        Nursery nursery("test");
        nursery.start(end_at_once(ran));
    }
    run_rounds();
    CHECK(ran == 1);
}

TEST_CASE("an exception ends its task, is logged, and harms no other", "[async]")
{
    char folder[] = "/tmp/nursery-test.XXXXXX";
    REQUIRE(::mkdtemp(folder));
    std::string file = std::string(folder) + "/log";
    base::log::open("postfix/smtpd", file);
    {
        Nursery nursery("session");
        async::Flag flag;
        int alive = 0;
        nursery.start(hold(flag, alive));
        nursery.start(fail(true));
        nursery.start(fail(false));
        CHECK(run_until([&] { return nursery.size() == 1; }));
        flag.set();
        CHECK(run_task(drained(nursery)));
    }
    base::log::to_stderr("test");
    std::string log = base::read_file(file);
    CHECK(std::count(log.begin(), log.end(), '\n') == 2);
    CHECK(log.find("error: session: something broke\n") != std::string::npos);
    std::filesystem::remove_all(folder);
}
