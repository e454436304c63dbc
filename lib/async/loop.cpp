#include "async/loop.h"

#include "base/error.h"
#include "base/log.h"

#include <event2/event.h>
#include <event2/event_struct.h>

#include <csignal>

namespace async {
namespace {

constexpr int runs_before_looking_at_events = 512;

void close_event(event* e)
{
    if (e) event_free(e);
}

event_base* make_base()
{
    event_config* config = event_config_new();
    event_config_require_features(config, EV_FEATURE_ET | EV_FEATURE_O1);
    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK);
    event_base* base = event_base_new_with_config(config);
    event_config_free(config);
    if (!base) throw base::SystemError("event loop", ENOSYS);
    return base;
}

// libevent speaks to standard error otherwise; and after fork() it always complains of the loop that was left behind.
void log_libevent(int severity, const char* text)
{
    if (severity == EVENT_LOG_ERR)
        base::log::error("event loop: {}", text);
    else
        base::log::debug("event loop: {}", text);
}

struct FunctionRunnable final : Runnable {
    explicit FunctionRunnable(std::function<void()> work) : work(std::move(work)) {}
    void run() override
    {
        auto mine = std::unique_ptr<FunctionRunnable>(this);
        work();
    }
    std::function<void()> work;
};

std::unique_ptr<Loop>& current()
{
    static std::unique_ptr<Loop> instance;
    return instance;
}

} // namespace

struct Loop::SignalHandler {
    std::function<void()> handler;
    std::unique_ptr<event, void (*)(event*)> source{nullptr, close_event};
};

void Runnable::unqueue()
{
    if (!next_) return;
    next_->previous_ = previous_;
    previous_->next_ = next_;
    next_ = previous_ = nullptr;
}

Loop::Loop() : base_(make_base()), again_(nullptr, close_event)
{
    head_.next_ = head_.previous_ = &head_;
    again_.reset(event_new(base_, -1, 0, [](evutil_socket_t, short, void* self) { static_cast<Loop*>(self)->drain(); }, this));
    std::signal(SIGPIPE, SIG_IGN);
    event_set_log_callback(log_libevent);
}

Loop::~Loop()
{
    while (head_.next_ != &head_) head_.next_->unqueue();
    head_.next_ = head_.previous_ = nullptr;
    signals_.clear();
    again_.reset();
    event_base_free(base_);
}

void Loop::queue(Runnable& what)
{
    if (what.queued()) return;
    bool was_empty = head_.next_ == &head_;
    what.previous_ = head_.previous_;
    what.next_ = &head_;
    head_.previous_->next_ = &what;
    head_.previous_ = &what;
    if (was_empty && !draining_) event_active(again_.get(), EV_TIMEOUT, 1);
}

void Loop::post(std::function<void()> work) { queue(*new FunctionRunnable(std::move(work))); }

void Loop::drain()
{
    if (draining_) return;
    draining_ = true;
    for (int i = 0; i < runs_before_looking_at_events && head_.next_ != &head_; ++i) {
        Runnable* next = head_.next_;
        next->unqueue();
        next->run();
    }
    draining_ = false;
    if (head_.next_ == &head_) return;
    // A timer, for an event that is made active here would run before libevent has looked at anything else.
    timeval now{};
    event_add(again_.get(), &now);
}

void Loop::run()
{
    stopping_ = false;
    while (!stopping_) {
        event_base_loop(base_, EVLOOP_ONCE);
        if (after_round_) after_round_();
    }
}

void Loop::run_once(Limit longest)
{
    timeval time{longest.count() / 1000, longest.count() % 1000 * 1000};
    event_base_loopexit(base_, &time);
    event_base_loop(base_, EVLOOP_ONCE);
}

void Loop::stop()
{
    stopping_ = true;
    event_base_loopbreak(base_);
}

void Loop::on_signal(int number, std::function<void()> handler)
{
    auto entry = std::make_unique<SignalHandler>();
    entry->handler = std::move(handler);
    auto call = [](evutil_socket_t, short, void* self) {
        static_cast<SignalHandler*>(self)->handler();
        loop().drain();
    };
    entry->source.reset(evsignal_new(base_, number, call, entry.get()));
    evsignal_add(entry->source.get(), nullptr);
    signals_.push_back(std::move(entry));
}

Loop& loop()
{
    auto& instance = current();
    if (!instance) instance = std::make_unique<Loop>();
    return *instance;
}

void new_loop_after_fork()
{
    // The parent's epoll set is shared with us: freeing it would take the parent's descriptors out of it. It is left behind.
    (void)current().release();
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGCHLD, SIGUSR1, SIGUSR2}) std::signal(number, SIG_DFL);
}

} // namespace async
