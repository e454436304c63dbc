// forward: the new messages that aliases and .forward files give rise to.
#pragma once

#include "agent.h"
#include "expansion.h"

namespace local_delivery {

// Makes one message of all leaves that are to be forwarded with the same sender; their reports say what came of it.
async::Task<> forward_all(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, std::vector<Leaf>& leaves);

} // namespace local_delivery
