// deliver: one Deliver of the queue manager, from its next hop to an outcome for each recipient.
#pragma once

#include "connections.h"
#include "session.h"
#include "spool/messages.h"

namespace smtp_client {

struct Agent {
    Agent(Settings settings, dns::Resolver& resolver, const tls::ClientContext* tls, std::unique_ptr<Tables> tables = {})
        : context(std::move(settings), resolver, tls, std::move(tables)), connections(context.settings)
    {
    }
    Context context;
    Connections connections;
};

// The job and the agent outlive the task.
async::Task<spool::Done> deliver(Agent& agent, const spool::Deliver& job);

} // namespace smtp_client
