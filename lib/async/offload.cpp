#include "async/offload.h"

#include "async/watch.h"
#include "base/error.h"
#include "base/fd.h"

#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace async {
namespace {

unsigned thread_limit = 16;

class Pool final : private Waiter {
public:
    Pool() : bell_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)), watch_(bell_.get())
    {
        if (!bell_) throw base::SystemError("eventfd");
        watch_.readable().set_waiter(this);
    }

    ~Pool()
    {
        {
            std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        work_came_.notify_all();
        for (auto& thread : threads_) thread.join();
        watch_.readable().set_waiter(nullptr);
    }

    void submit(Job* job)
    {
        bool start = false;
        {
            std::lock_guard lock(mutex_);
            jobs_.push_back(job);
            start = idle_ < jobs_.size() && threads_.size() < thread_limit;
        }
        if (start) threads_.emplace_back([this] { serve(); });
        work_came_.notify_one();
    }

private:
    void serve()
    {
        sigset_t all;
        sigfillset(&all);
        pthread_sigmask(SIG_BLOCK, &all, nullptr);    // signals are the loop's
        std::unique_lock lock(mutex_);
        while (true) {
            ++idle_;
            work_came_.wait(lock, [&] { return stopping_ || !jobs_.empty(); });
            --idle_;
            if (jobs_.empty()) return;
            Job* job = jobs_.front();
            jobs_.pop_front();
            lock.unlock();
            job->work();
            lock.lock();
            bool first = finished_.empty();
            finished_.push_back(job);
            if (first) ring();
        }
    }

    void ring()
    {
        uint64_t one = 1;
        [[maybe_unused]] ssize_t put = ::write(bell_.get(), &one, sizeof one);
    }

    void woken() override
    {
        uint64_t count;
        [[maybe_unused]] ssize_t got = ::read(bell_.get(), &count, sizeof count);
        watch_.clear_readable();
        std::vector<Job*> finished;
        {
            std::lock_guard lock(mutex_);
            finished.swap(finished_);
        }
        for (Job* job : finished) job->finished();
    }

    base::Fd bell_;
    Watch watch_;
    std::mutex mutex_;
    std::condition_variable work_came_;
    std::deque<Job*> jobs_;
    std::vector<Job*> finished_;
    std::vector<std::thread> threads_;
    size_t idle_ = 0;
    bool stopping_ = false;
};

Pool& pool()
{
    // A forked child has none of its parent's threads: it leaves that pool behind and makes its own.
    static Pool* instance = nullptr;
    static const int watching = ::pthread_atfork(nullptr, nullptr, [] { instance = nullptr; });
    (void)watching;
    if (!instance) instance = new Pool;
    return *instance;
}

} // namespace

void Job::finished()
{
    if (!awaited_by) {
        delete this;
        return;
    }
    done = true;
    loop().queue(*awaited_by);
}

void submit_job(Job* job) { pool().submit(job); }
void set_offload_threads(unsigned count) { thread_limit = count; }

} // namespace async
