#include "async/wait.h"

#include <event2/event.h>

namespace async {

void Timer::start(Limit after, Callback call, void* argument)
{
    stop();
    call_ = call;
    argument_ = argument;
    auto fired = [](evutil_socket_t, short, void* self) {
        auto* timer = static_cast<Timer*>(self);
        timer->running_ = false;
        timer->call_(timer->argument_);
        loop().drain();
    };
    event_assign(&event_, loop().base(), -1, 0, fired, this);
    auto milliseconds = after.count() < 0 ? 0 : after.count();
    timeval time{static_cast<time_t>(milliseconds / 1000), static_cast<suseconds_t>(milliseconds % 1000 * 1000)};
    event_add(&event_, &time);
    running_ = true;
}

void Timer::stop()
{
    if (running_) event_del(&event_);
    running_ = false;
}

void Wait::await_suspend(std::coroutine_handle<> waiting)
{
    waiting_ = waiting;
    suspended_ = true;
    if (first_) first_->set_waiter(this);
    if (second_) second_->set_waiter(this);
    if (limit_ >= Limit::zero()) timer_.start(limit_, [](void* self) { static_cast<Wait*>(self)->woken(); }, this);
}

void Wait::woken() { loop().queue(*this); }

bool Wait::await_resume()
{
    leave();
    return is_ready();
}

void Wait::leave()
{
    if (!suspended_) return;
    suspended_ = false;
    timer_.stop();
    if (first_) first_->set_waiter(nullptr);
    if (second_) second_->set_waiter(nullptr);
}

Wait::~Wait() { leave(); }

} // namespace async
