// offload: work that blocks (fsync, PAM, directories) on a small pool of threads: `auto n = co_await offload(std::move(work));`.
// The work owns what it uses (values, moved-in descriptors) and shares nothing with the loop. Giving up the wait abandons the
// result, not the work: it runs to its end and is then freed.
#pragma once

#include "async/loop.h"

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

namespace async {

class Job {
public:
    virtual ~Job() = default;
    virtual void work() noexcept = 0;       // on a thread of the pool
    void finished();                        // on the loop
    Runnable* awaited_by = nullptr;         // nobody: abandoned
    bool done = false;
};

void submit_job(Job* job);                  // owned by the pool until finished() on the loop
void set_offload_threads(unsigned count);   // before the first use; 16 by default. Threads start as they are needed.

template <class Work> class [[nodiscard]] Offload final : private Runnable {
public:
    using Result = std::invoke_result_t<Work&>;

    explicit Offload(Work work) : job_(new State(std::move(work))) {}
    Offload(Offload&&) = delete;
    ~Offload()
    {
        if (!submitted_ || job_->done)
            delete job_;
        else
            job_->awaited_by = nullptr;
    }
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> waiting)
    {
        waiting_ = waiting;
        submitted_ = true;
        job_->awaited_by = this;
        submit_job(job_);
    }
    Result await_resume()
    {
        if (job_->failure) std::rethrow_exception(job_->failure);
        if constexpr (!std::is_void_v<Result>) return std::move(*job_->result);
    }

private:
    struct Nothing {};
    struct State final : Job {
        explicit State(Work work) : task(std::move(work)) {}
        void work() noexcept override
        {
            try {
                if constexpr (std::is_void_v<Result>)
                    task();
                else
                    result.emplace(task());
            } catch (...) {
                failure = std::current_exception();
            }
        }
        Work task;
        std::optional<std::conditional_t<std::is_void_v<Result>, Nothing, Result>> result;
        std::exception_ptr failure;
    };
    void run() override { waiting_.resume(); }

    State* job_;
    std::coroutine_handle<> waiting_;
    bool submitted_ = false;
};

template <class Work> Offload<std::decay_t<Work>> offload(Work&& work)
{
    return Offload<std::decay_t<Work>>(std::forward<Work>(work));
}

} // namespace async
