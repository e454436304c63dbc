// lend: long work on something that a task owns, done on another thread. The thing goes along, so that nobody can touch it meanwhile,
// and comes back; if the task is destroyed, it goes with the work.
#pragma once

#include "async/offload.h"
#include "async/task.h"

#include <exception>
#include <optional>
#include <type_traits>

namespace async {

template <class Thing, class Work> struct Lent {
    using Result = std::invoke_result_t<Work&, Thing&>;
    struct Back {
        Thing thing;
        std::optional<Result> result;
        std::exception_ptr failure;
    };

    Thing thing;
    Work work;

    Back operator()()
    {
        Back back;
        try {
            back.result.emplace(work(thing));
        } catch (...) {
            back.failure = std::current_exception();
        }
        back.thing = std::move(thing);
        return back;
    }
};

// work(Thing&) owns everything else it uses, and returns a value. The owner of `thing` outlives the task.
template <class Thing, class Work> Task<std::invoke_result_t<Work&, Thing&>> lend(Thing& thing, Work work)
{
    Lent<Thing, Work> lent{std::move(thing), std::move(work)};
    auto back = co_await offload(std::move(lent));
    thing = std::move(back.thing);
    if (back.failure) std::rethrow_exception(back.failure);
    co_return std::move(*back.result);
}

} // namespace async
