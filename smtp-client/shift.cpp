#include "shift.h"

#include "base/log.h"

#include <csignal>

namespace smtp_client {
namespace {

constexpr async::Limit last_words{200}; // what was done is on its way to the queue manager

} // namespace

struct Shift::Running {
    explicit Running(Shift& shift) : shift(shift) { ++shift.running_; }
    ~Running()
    {
        --shift.running_;
        shift.leave_when_idle();
    }
    Shift& shift;
};

bool Shift::is_over()
{
    if (over_ || !agent_.context.settings.sasl.enabled) return over_;
    auto gone = agent_.context.tables->lost_passwords();
    if (gone.empty()) return false;
    base::log::info("table {} has changed -- restarting", gone);
    return over_ = true;
}

void Shift::leave_when_idle()
{
    if (over_ && running_ == 0) farewell_.start(last_words, [](void*) { ::raise(SIGTERM); }, nullptr);
}

async::Task<spool::Done> Shift::deliver_one(const spool::Deliver& job)
{
    if (is_over()) {
        leave_when_idle();
        co_await async::sleep(async::no_limit);
    }
    Running running(*this);
    co_return co_await deliver(agent_, job);
}

} // namespace smtp_client
