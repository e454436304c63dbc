// local: delivery to the users of this machine: aliases, .forward files, mailboxes, files and commands.
#pragma once

#include "agent.h"

namespace local_delivery {

// The agent and the job outlive the task.
async::Task<spool::Done> deliver_local(Agent& agent, const spool::Deliver& job);

} // namespace local_delivery
