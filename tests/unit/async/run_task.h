// run_task: plays the loop of the test until a task has ended, or something has come true.
#pragma once

#include "async/task.h"
#include "async/loop.h"
#include "base/clock.h"

#include <stdexcept>

// False when it does not come true in time.
template <class Condition> bool run_until(Condition condition, std::chrono::milliseconds limit = std::chrono::seconds(20))
{
    auto end = base::steady_now() + limit;
    while (!condition()) {
        if (base::steady_now() > end) return false;
        async::loop().run_once(async::Limit(20));
    }
    return true;
}

template <class T> T run_task(async::Task<T> task, std::chrono::milliseconds limit = std::chrono::seconds(20))
{
    task.start();
    if (!run_until([&] { return task.done(); }, limit)) throw std::runtime_error("the task does not end");
    return task.take();
}

// Lets everything go on that can go on without news from outside.
inline void run_rounds(int rounds = 5)
{
    for (int i = 0; i < rounds; ++i) async::loop().run_once(async::Limit(1));
}
