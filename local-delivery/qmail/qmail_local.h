// qmail_local: a user's mail as his .qmail file wants it: programs and mailboxes one after the other; forwards are given back.
#pragma once

#include "async/task.h"
#include "order.h"
#include "store/lock.h"

namespace config {
class Config;
}

namespace local_delivery {

// Order::qmail, in the worker of that user. report.found: a .qmail file decided; then members are the addresses to forward to, when
// the report is good, and report.sender is who sends them. The order and config must outlive the task.
async::Task<Answer> deliver_as_qmail(const Order& order, const config::Config& config, const store::LockPolicy& locks);

} // namespace local_delivery
