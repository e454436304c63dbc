#include "async/nursery.h"

#include "base/log.h"

namespace async {
namespace {

Task<> guarded(Task<> task, std::string name)
{
    try {
        co_await task;
    } catch (const std::exception& failure) {
        base::log::error("{}: {}", name, failure.what());
    }
}

} // namespace

// Runs from the top of the loop when its task has ended, so that a frame is never freed from inside itself.
struct Nursery::Child final : Runnable {
    Child(Nursery& home, Task<> task) : home(home), task(std::move(task)) {}
    void run() override { home.ended(*this); }

    Nursery& home;
    Task<> task;
    Task<> whole;
};

namespace {

Task<> follow(Task<>& task, Runnable& at_end)
{
    co_await task;
    loop().queue(at_end);
}

} // namespace

Nursery::Nursery(std::string name) : name_(std::move(name)), empty_(*this) {}

Nursery::~Nursery() { cancel(); }

void Nursery::start(Task<> task)
{
    auto child = std::make_unique<Child>(*this, guarded(std::move(task), name_));
    Child& running = *child;
    children_.emplace(&running, std::move(child));
    running.whole = follow(running.task, running);
    running.whole.start();
}

void Nursery::ended(Child& child)
{
    children_.erase(&child);
    if (children_.empty()) empty_.wake();
}

void Nursery::cancel()
{
    while (!children_.empty()) {
        auto child = std::move(children_.begin()->second);
        children_.erase(children_.begin());
        child->whole = {};
        child->task = {};
    }
    empty_.wake();
}

} // namespace async
