// Work on threads: results come back to the loop, and what nobody waits for any more is freed.
#include "async/offload.h"

#include "async/nursery.h"
#include "catch.h"
#include "run_task.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

using async::Task;

namespace {

// A door that work waits at, on its thread.
struct Gate {
    void open()
    {
        std::lock_guard lock(mutex);
        is_open = true;
        changed.notify_all();
    }
    void pass()
    {
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return is_open; });
    }
    std::mutex mutex;
    std::condition_variable changed;
    bool is_open = false;
};

std::atomic<int> tokens{0};
struct Token {
    Token() { ++tokens; }
    Token(Token&&) noexcept { ++tokens; }
    Token(const Token&) = delete;
    ~Token() { --tokens; }
};

Task<std::string> join(std::string a, std::string b)
{
    auto work = [a = std::move(a), b = std::move(b)] { return a + b; };
    std::string joined = co_await async::offload(std::move(work));
    co_return joined;
}

Task<bool> elsewhere()
{
    auto here = std::this_thread::get_id();
    auto work = [here] { return std::this_thread::get_id() != here; };
    bool other = co_await async::offload(std::move(work));
    co_return other && std::this_thread::get_id() == here;
}

Task<int> throws()
{
    auto work = []() -> int { throw std::runtime_error("no"); };
    int value = co_await async::offload(work);
    co_return value;
}

Task<> add(std::atomic<int>& sum, int value)
{
    auto work = [&sum, value] { sum += value; };
    co_await async::offload(work);
}

Task<> wait_at(Gate& gate, std::atomic<int>& passed)
{
    auto work = [&gate, &passed, token = Token()] {
        gate.pass();
        ++passed;
        return Token();
    };
    Token result = co_await async::offload(std::move(work));
}

} // namespace

TEST_CASE("offloaded work gives its result on the loop", "[async]")
{
    CHECK(run_task(join("a", "b")) == "ab");
    CHECK(run_task(elsewhere()));
    CHECK_THROWS_AS(run_task(throws()), std::runtime_error);
}

TEST_CASE("many jobs run and each is answered once", "[async]")
{
    async::Nursery nursery("test");
    std::atomic<int> sum{0};
    for (int i = 1; i <= 5000; ++i) nursery.start(add(sum, i));
    CHECK(run_until([&] { return nursery.size() == 0; }));
    CHECK(sum == 5000 * 5001 / 2);
}

TEST_CASE("jobs run side by side", "[async]")
{
    async::Nursery nursery("test");
    Gate gate;
    std::atomic<int> passed{0};
    std::atomic<int> sum{0};
    for (int i = 0; i < 10; ++i) nursery.start(wait_at(gate, passed));
    nursery.start(add(sum, 1));
    CHECK(run_until([&] { return sum == 1; }));
    CHECK(passed == 0);
    gate.open();
    CHECK(run_until([&] { return nursery.size() == 0; }));
    CHECK(passed == 10);
    CHECK(tokens == 0);
}

TEST_CASE("work that nobody waits for any more runs to its end and is freed", "[async]")
{
    Gate gate;
    std::atomic<int> passed{0};
    {
        async::Nursery nursery("test");
        for (int i = 0; i < 40; ++i) nursery.start(wait_at(gate, passed));      // more than there are threads
    }
    CHECK(tokens == 40);
    gate.open();
    CHECK(run_until([&] { return tokens == 0; }));
    CHECK(passed == 40);
}

TEST_CASE("work that is done but not yet taken can be given up", "[async]")
{
    for (int i = 0; i < 50; ++i) {
        Gate gate;
        gate.open();
        std::atomic<int> passed{0};
        {
            async::Nursery nursery("test");
            nursery.start(wait_at(gate, passed));
            while (passed == 0) std::this_thread::yield();
            if (i % 2) run_rounds(1);
        }
        CHECK(run_until([&] { return tokens == 0; }));
    }
}

TEST_CASE("an offload that is never awaited costs nothing", "[async]")
{
    { auto never = async::offload([token = Token()] { return 1; }); }
    CHECK(tokens == 0);
}
