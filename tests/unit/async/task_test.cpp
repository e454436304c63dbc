// Tasks: results, exceptions, ownership, and the stack under long loops and deep chains.
#include "async/task.h"

#include "async/wait.h"
#include "catch.h"
#include "run_task.h"

#include <memory>
#include <string>
#include <vector>

using async::Task;

namespace {

Task<int> number(int n) { co_return n; }
Task<int> number_later(int n)
{
    co_await async::Yield();
    co_return n;
}
Task<std::unique_ptr<int>> owned() { co_return std::make_unique<int>(7); }
Task<> thrower(bool wait_first)
{
    if (wait_first) co_await async::Yield();
    throw std::runtime_error("thrown");
}

Task<int> sum()
{
    int a = co_await number(1);
    int b = co_await number_later(2);
    auto c = co_await owned();
    co_return a + b + *c;
}

Task<std::string> caught(bool wait_first)
{
    std::string text = "nothing";
    try {
        co_await thrower(wait_first);
    } catch (const std::runtime_error& failure) {
        text = failure.what();
    }
    co_await async::Yield();
    co_return text;
}

Task<long> many(long count)
{
    long total = 0;
    for (long i = 0; i < count; ++i) {
        int one = co_await number(1);
        total += one;
    }
    co_return total;
}

Task<long> many_flags(async::Flag& flag, long count)
{
    long total = 0;
    for (long i = 0; i < count; ++i) {
        bool ready = co_await async::wait(flag);
        total += ready ? 1 : 0;
    }
    co_return total;
}

struct Counted {
    explicit Counted(int& count) : count(count) { ++count; }
    Counted(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
};

Task<int> deep(int depth, async::Flag& flag, int& alive)
{
    Counted here(alive);
    if (depth == 0) {
        co_await async::wait(flag);
        co_return 0;
    }
    int below = co_await deep(depth - 1, flag, alive);
    co_return below + 1;
}

Task<int> deep_thrower(int depth, async::Flag& flag, int& alive)
{
    Counted here(alive);
    if (depth == 0) {
        co_await async::wait(flag);
        throw std::runtime_error("deep");
    }
    int below = co_await deep_thrower(depth - 1, flag, alive);
    co_return below + 1;
}

} // namespace

TEST_CASE("a task gives its result, at once or later", "[async]")
{
    CHECK(run_task(number(5)) == 5);
    CHECK(run_task(number_later(6)) == 6);
    CHECK(*run_task(owned()) == 7);
    CHECK(run_task(sum()) == 10);
}

TEST_CASE("an exception reaches who awaits, at once or later", "[async]")
{
    CHECK(run_task(caught(false)) == "thrown");
    CHECK(run_task(caught(true)) == "thrown");
    CHECK_THROWS_AS(run_task(thrower(false)), std::runtime_error);
    CHECK_THROWS_AS(run_task(thrower(true)), std::runtime_error);
}

TEST_CASE("a task is lazy and has one owner", "[async]")
{
    int alive = 0;
    async::Flag flag;
    {
        Task<int> task = deep(0, flag, alive);
        CHECK(alive == 0);
        task.start();
        CHECK(alive == 1);
        Task<int> moved = std::move(task);
        CHECK_FALSE(task);
        CHECK(moved);
        CHECK(alive == 1);
        moved = deep(0, flag, alive);
        CHECK(alive == 0);
    }
    CHECK(alive == 0);
    CHECK_FALSE(flag.awaited());
    { Task<int> never_started = number(1); }
    Task<int> empty;
    CHECK_FALSE(empty);
}

TEST_CASE("a million ready waits use no stack", "[async]")
{
    CHECK(run_task(many(1'000'000)) == 1'000'000);
    async::Flag flag;
    flag.set();
    CHECK(run_task(many_flags(flag, 1'000'000)) == 1'000'000);
}

TEST_CASE("a deep chain runs to its end", "[async]")
{
    async::Flag flag;
    int alive = 0;
    Task<int> task = deep(200, flag, alive);
    task.start();
    CHECK(alive == 201);
    flag.set();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(task.take() == 200);
    CHECK(alive == 0);
}

TEST_CASE("an exception climbs a deep chain", "[async]")
{
    async::Flag flag;
    int alive = 0;
    Task<int> task = deep_thrower(200, flag, alive);
    task.start();
    flag.set();
    REQUIRE(run_until([&] { return task.done(); }));
    CHECK(alive == 0);
    CHECK_THROWS_AS(task.take(), std::runtime_error);
}

TEST_CASE("destroying a suspended chain runs every destructor", "[async]")
{
    async::Flag flag;
    int alive = 0;
    {
        Task<int> task = deep(200, flag, alive);
        task.start();
        CHECK(alive == 201);
        CHECK(flag.awaited());
    }
    CHECK(alive == 0);
    CHECK_FALSE(flag.awaited());
    flag.set();
    run_rounds();
}
