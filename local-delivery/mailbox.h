// mailbox: puts a message into a Maildir or an mbox file. Blocks; runs on a thread of a worker.
#pragma once

#include "order.h"
#include "store/lock.h"

namespace config {
class Config;
}

namespace local_delivery {

// How mailboxes are locked, from the parameters of local(8) or virtual(8).
store::LockPolicy lock_policy(const config::Config& config, bool for_virtual);

// Kinds visit (without its .forward), mailbox and file. Does not throw.
Report deliver_to_mailbox(const Order& order, const store::LockPolicy& locks);

} // namespace local_delivery
