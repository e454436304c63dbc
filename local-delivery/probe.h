// probe: what local would do with mail for an address, as far as that can be said without delivering any.
#pragma once

#include "agent.h"

namespace local_delivery {

// Logs the outcome. The agent, the job and the recipient outlive the task.
async::Task<spool::Outcome> probe_local(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient);

} // namespace local_delivery
