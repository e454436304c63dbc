// shift: deliveries of one process, until the passwords that it read as root have changed: another process is to read
// them anew.
#pragma once

#include "deliver.h"

#include "async/wait.h"

namespace smtp_client {

class Shift {
public:
    explicit Shift(Agent& agent) : agent_(agent) {}
    // Once the end has come, jobs are taken and not begun: the queue manager gives them to the next process.
    async::Task<spool::Done> deliver_one(const spool::Deliver& job);

private:
    struct Running;
    bool is_over();
    void leave_when_idle();

    Agent& agent_;
    size_t running_ = 0;
    bool over_ = false;
    async::Timer farewell_;
};

} // namespace smtp_client
