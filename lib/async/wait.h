// wait: to wait until something is ready, and take nothing. A wait that is given up (time limit, or the task is destroyed) has
// lost nothing, which is why waiting for either of two things is safe. Taking comes after, and does not wait.
#pragma once

#include "async/loop.h"

#include <event2/event_struct.h>

#include <coroutine>

namespace async {

class Source;

// Somebody who is told when a Source becomes ready.
class Waiter {
public:
    virtual void woken() = 0;

protected:
    ~Waiter() = default;
};

// Anything one can wait for. One waiter at a time.
class Source {
public:
    Source() = default;
    Source(const Source&) = delete;
    Source& operator=(const Source&) = delete;
    virtual bool ready() const = 0;

    void set_waiter(Waiter* waiter) { waiter_ = waiter; }
    bool awaited() const { return waiter_ != nullptr; }

protected:
    ~Source() = default;
    void wake()
    {
        if (waiter_) waiter_->woken();
    }

private:
    Waiter* waiter_ = nullptr;
};

// A Source that is set and cleared by hand.
class Flag final : public Source {
public:
    bool ready() const override { return set_; }
    void set()
    {
        set_ = true;
        wake();
    }
    void clear() { set_ = false; }

private:
    bool set_ = false;
};

// One timer of libevent in the place where it is used. Not movable while it runs.
class Timer {
public:
    using Callback = void (*)(void*);
    Timer() = default;
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;
    ~Timer() { stop(); }
    void start(Limit after, Callback call, void* argument);
    void stop();

private:
    event event_;
    Callback call_ = nullptr;
    void* argument_ = nullptr;
    bool running_ = false;
};

// The awaitable behind wait() and wait_either(): true when something is ready, false when the limit passed first.
class [[nodiscard]] Wait final : private Waiter, private Runnable {
public:
    Wait(Source* first, Source* second, Limit limit) : first_(first), second_(second), limit_(limit) {}
    ~Wait();
    bool await_ready() const { return is_ready(); }
    void await_suspend(std::coroutine_handle<> waiting);
    bool await_resume();

private:
    bool is_ready() const { return (first_ && first_->ready()) || (second_ && second_->ready()); }
    void woken() override;
    void run() override { waiting_.resume(); }
    void leave();

    Source* first_;
    Source* second_;
    Limit limit_;
    Timer timer_;
    std::coroutine_handle<> waiting_;
    bool suspended_ = false;
};

inline Wait wait(Source& source, Limit limit = no_limit) { return Wait(&source, nullptr, limit); }
inline Wait wait_either(Source& a, Source& b, Limit limit = no_limit) { return Wait(&a, &b, limit); }
// Always "times out": the awaited value is of no interest.
inline Wait sleep(Limit time) { return Wait(nullptr, nullptr, time); }

// Lets everything else that is ready run first.
class [[nodiscard]] Yield final : private Runnable {
public:
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting)
    {
        waiting_ = waiting;
        loop().queue(*this);
    }
    void await_resume() {}

private:
    void run() override { waiting_.resume(); }
    std::coroutine_handle<> waiting_;
};

} // namespace async
