// loop: the one event loop of a process, over libevent. Everything but offloaded work runs on its thread, so there are no locks.
#pragma once

#include <chrono>
#include <coroutine>
#include <functional>
#include <memory>
#include <vector>

struct event_base;
struct event;

namespace async {

using Limit = std::chrono::milliseconds;
inline constexpr Limit no_limit{-1};

// A place in the queue of what runs next; leaves the queue when it is destroyed.
class Runnable {
public:
    Runnable() = default;
    Runnable(const Runnable&) = delete;
    Runnable& operator=(const Runnable&) = delete;
    virtual void run() = 0;
    bool queued() const { return next_ != nullptr; }
    void unqueue();

protected:
    ~Runnable() { unqueue(); }

private:
    friend class Loop;
    Runnable* next_ = nullptr;
    Runnable* previous_ = nullptr;
};

class Loop {
public:
    Loop();
    ~Loop();
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;

    void run();                          // until stop()
    void stop();
    void run_once(Limit longest);        // for tests: waits for one round of events, at most so long
    void queue(Runnable& what);          // runs soon, from the top of the loop; queueing twice is once
    void post(std::function<void()> work);
    // Runs once after every round of events: where gathered output (log lines) is written.
    void after_round(std::function<void()> work) { after_round_ = std::move(work); }

    // SIGTERM and friends; the handler runs on the loop.
    void on_signal(int number, std::function<void()> handler);

    event_base* base() const { return base_; }
    void drain();                        // runs what is queued; libevent callbacks end with it

private:
    struct Head final : Runnable {
        void run() override {}
    };
    struct SignalHandler;
    event_base* base_;
    Head head_;
    std::unique_ptr<event, void (*)(event*)> again_;
    std::function<void()> after_round_;
    std::vector<std::unique_ptr<SignalHandler>> signals_;
    bool stopping_ = false;
    bool draining_ = false;
};

// The loop of this process; made at first use.
Loop& loop();
// After fork(): forget the parent's loop, without touching what it shares with the parent, and start with a new one.
void new_loop_after_fork();

} // namespace async
