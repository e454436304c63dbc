// virtual_mailbox: delivery to mailboxes that tables name, for people who are no users of this machine.
#pragma once

#include "agent.h"

namespace local_delivery {

// The agent and the job outlive the task.
async::Task<spool::Done> deliver_virtual(Agent& agent, const spool::Deliver& job);

} // namespace local_delivery
