// pass: hands a recipient to another delivery agent: mailbox_transport and fallback_transport.
#pragma once

#include "agent.h"

namespace local_delivery {

// service: "transport:nexthop". That agent writes the log of the delivery.
async::Task<Report> pass_on(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, std::string address,
                            std::string sender, std::string service);

} // namespace local_delivery
