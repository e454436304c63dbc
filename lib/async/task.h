// task: a coroutine with one owner. Lazy (it runs when awaited), move-only, and cancelled by destroying it: destroying a suspended
// Task runs the destructors of everything in it, and the waits in it take themselves out of the loop.
//
// Rules for coroutines: parameters by value, or references to what the awaiting caller owns; never a lambda with captures;
// no braced aggregate or capturing lambda written inside the awaited call.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace async {

template <class T = void> class Task;

class PromiseBase {
public:
    std::suspend_always initial_suspend() noexcept { return {}; }

    // A child that ends before its first wait hands no control over: its parent simply goes on (Task::await_suspend returns
    // false). So a long loop over ready children uses no stack.
    struct Final {
        bool await_ready() noexcept { return false; }
        template <class Promise> std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept
        {
            PromiseBase& promise = self.promise();
            if (promise.running_in_place_ || !promise.continuation_) return std::noop_coroutine();
            return promise.continuation_;
        }
        void await_resume() noexcept {}
    };
    Final final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { failure_ = std::current_exception(); }

protected:
    template <class> friend class Task;
    std::coroutine_handle<> continuation_;
    std::exception_ptr failure_;
    bool running_in_place_ = false;
};

template <class T> class Promise : public PromiseBase {
public:
    Task<T> get_return_object() noexcept;
    template <class Value> void return_value(Value&& value) { value_.emplace(std::forward<Value>(value)); }
    T take()
    {
        if (failure_) std::rethrow_exception(failure_);
        return std::move(*value_);
    }

private:
    std::optional<T> value_;
};

template <> class Promise<void> : public PromiseBase {
public:
    Task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void take()
    {
        if (failure_) std::rethrow_exception(failure_);
    }
};

template <class T> class [[nodiscard]] Task {
public:
    using promise_type = Promise<T>;
    using Handle = std::coroutine_handle<promise_type>;

    Task() = default;
    explicit Task(Handle handle) : handle_(handle) {}
    Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
    Task& operator=(Task&& other) noexcept
    {
        if (this != &other) {
            destroy();
            handle_ = std::exchange(other.handle_, {});
        }
        return *this;
    }
    ~Task() { destroy(); }

    explicit operator bool() const { return static_cast<bool>(handle_); }
    bool done() const { return handle_.done(); }

    // For an owner that does not await (Nursery): runs to the first wait. The result stays until take().
    void start(std::coroutine_handle<> on_end = {})
    {
        handle_.promise().continuation_ = on_end;
        handle_.promise().running_in_place_ = true;
        handle_.resume();
        handle_.promise().running_in_place_ = false;
    }
    T take() { return handle_.promise().take(); }

    bool await_ready() const noexcept { return false; }
    bool await_suspend(std::coroutine_handle<> parent)
    {
        start(parent);
        return !handle_.done();
    }
    T await_resume() { return handle_.promise().take(); }

private:
    void destroy()
    {
        if (handle_) std::exchange(handle_, {}).destroy();
    }
    Handle handle_;
};

template <class T> Task<T> Promise<T>::get_return_object() noexcept
{
    return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}

inline Task<void> Promise<void>::get_return_object() noexcept
{
    return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}

} // namespace async
