// Waiting: limits, either of two, giving up, and timers.
#include "async/wait.h"

#include "async/nursery.h"
#include "async/queue.h"
#include "catch.h"
#include "run_task.h"

#include <csignal>
#include <string>
#include <unistd.h>
#include <vector>

using async::Limit;
using async::Task;

namespace {

Task<bool> wait_for(async::Source& source, Limit limit)
{
    bool ready = co_await async::wait(source, limit);
    co_return ready;
}

Task<bool> wait_for_either(async::Source& a, async::Source& b, Limit limit)
{
    bool ready = co_await async::wait_either(a, b, limit);
    co_return ready;
}

Task<> wait_and_note(async::Source& source, std::string name, std::vector<std::string>& notes)
{
    co_await async::wait(source);
    notes.push_back(name);
}

Task<> yield_and_note(std::string name, int times, std::vector<std::string>& notes)
{
    for (int i = 0; i < times; ++i) {
        notes.push_back(name);
        co_await async::Yield();
    }
}

Task<> yield_until(const bool& stop, long& turns)
{
    for (; !stop && turns < 50'000'000; ++turns) co_await async::Yield();
}

Task<> take_all(async::Queue<std::string>& queue, std::vector<std::string>& taken)
{
    while (true) {
        co_await async::wait(queue);
        taken.push_back(queue.pop());
        if (taken.back() == "end") co_return;
    }
}

} // namespace

TEST_CASE("a wait ends when its source is ready, or its limit is over", "[async]")
{
    async::Flag ready, never;
    ready.set();
    CHECK(run_task(wait_for(ready, async::no_limit)));
    CHECK(run_task(wait_for(ready, Limit(0))));
    CHECK_FALSE(run_task(wait_for(never, Limit(0))));
    CHECK_FALSE(run_task(wait_for(never, Limit(15))));
    CHECK(run_task(wait_for_either(never, ready, Limit(0))));
    CHECK(run_task(wait_for_either(ready, never, async::no_limit)));
    async::Flag other;
    CHECK_FALSE(run_task(wait_for_either(never, other, Limit(5))));
    CHECK_FALSE(never.awaited());
    CHECK_FALSE(other.awaited());
}

TEST_CASE("a wait that has ended leaves both sources", "[async]")
{
    async::Flag a, b;
    auto task = wait_for_either(a, b, Limit(10000));
    task.start();
    CHECK(a.awaited());
    CHECK(b.awaited());
    b.set();
    b.set();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(task.take());
    CHECK_FALSE(a.awaited());
    CHECK_FALSE(b.awaited());
    a.set();
}

TEST_CASE("what is set and cleared before the waiter runs counts as not ready", "[async]")
{
    async::Flag flag;
    auto task = wait_for(flag, async::no_limit);
    task.start();
    flag.set();
    flag.clear();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK_FALSE(task.take());
}

TEST_CASE("a wait that is destroyed while it is queued is forgotten", "[async]")
{
    async::Flag flag;
    std::vector<std::string> notes;
    auto stays = wait_and_note(flag, "stays", notes);
    async::Flag other;
    {
        auto goes = wait_and_note(other, "goes", notes);
        goes.start();
        stays.start();
        other.set();
        flag.set();
    }
    REQUIRE(run_until([&] { return stays.done(); }));
    run_rounds();
    CHECK(notes == std::vector<std::string>{"stays"});
    auto again = wait_for(other, async::no_limit);
    CHECK(run_task(std::move(again)));      // nothing was lost by giving up
}

TEST_CASE("a wait that is destroyed takes its timer along", "[async]")
{
    async::Flag flag;
    for (int i = 0; i < 100; ++i) {
        auto task = wait_for(flag, Limit(1));
        task.start();
    }
    CHECK_FALSE(run_task(wait_for(flag, Limit(10))));
}

TEST_CASE("tasks that yield take turns", "[async]")
{
    std::vector<std::string> notes;
    auto a = yield_and_note("a", 3, notes), b = yield_and_note("b", 3, notes);
    a.start();
    b.start();
    REQUIRE(run_until([&] { return a.done() && b.done(); }));
    CHECK(notes == std::vector<std::string>{"a", "b", "a", "b", "a", "b"});
}

TEST_CASE("a task that always yields does not keep timers and events waiting", "[async]")
{
    bool stop = false;
    long turns = 0;
    auto busy = yield_until(stop, turns);
    busy.start();
    async::Timer timer;
    timer.start(Limit(5), [](void* flag) { *static_cast<bool*>(flag) = true; }, &stop);
    // Ends by itself only when the timer is never heard.
    while (!stop && turns < 50'000'000) async::loop().run_once(Limit(20));
    CHECK(stop);
    stop = true;
    CHECK(run_until([&] { return busy.done(); }));
}

TEST_CASE("values pass through a queue in order", "[async]")
{
    async::Queue<std::string> queue;
    std::vector<std::string> taken;
    queue.push("1");
    auto task = take_all(queue, taken);
    task.start();
    queue.push("2");
    queue.push("3");
    run_rounds();
    queue.push("end");
    queue.push("left");
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(taken == std::vector<std::string>{"1", "2", "3", "end"});
    CHECK(queue.size() == 1);
}

TEST_CASE("timers fire in order, once, and not when they were stopped", "[async]")
{
    std::vector<int> fired;
    struct Entry {
        async::Timer timer;
        int number;
        std::vector<int>* fired;
    };
    std::vector<std::unique_ptr<Entry>> entries;
    for (int i = 0; i < 5; ++i) {
        entries.push_back(std::make_unique<Entry>());
        entries.back()->number = i;
        entries.back()->fired = &fired;
        auto call = [](void* self) { static_cast<Entry*>(self)->fired->push_back(static_cast<Entry*>(self)->number); };
        entries.back()->timer.start(Limit(25 - 5 * i), call, entries.back().get());
    }
    entries[2]->timer.stop();
    entries[3].reset();
    REQUIRE(run_until([&] { return fired.size() == 3; }));
    run_rounds();
    CHECK(fired == std::vector<int>{4, 1, 0});
    // Started anew, the old time does not count.
    auto call = [](void* self) { static_cast<Entry*>(self)->fired->push_back(99); };
    entries[0]->timer.start(Limit(60000), call, entries[0].get());
    entries[0]->timer.start(Limit(-5), call, entries[0].get());
    REQUIRE(run_until([&] { return fired.size() == 4; }));
}

TEST_CASE("posted work and signals run on the loop", "[async]")
{
    std::vector<std::string> notes;
    async::loop().post([&] { notes.push_back("posted"); });
    CHECK(notes.empty());
    CHECK(run_until([&] { return notes.size() == 1; }));
    static int signals = 0;
    async::loop().on_signal(SIGUSR1, [] { ++signals; });
    ::kill(::getpid(), SIGUSR1);
    CHECK(run_until([&] { return signals == 1; }));
}

TEST_CASE("the loop stops when it is told to", "[async]")
{
    int rounds = 0;
    async::loop().after_round([&] { ++rounds; });
    async::loop().post([] { async::loop().post([] { async::loop().stop(); }); });
    async::loop().run();
    CHECK(rounds >= 1);
    async::loop().after_round({});
}
