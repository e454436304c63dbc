// commands: what postqueue, mailq and postsuper ask of the queue manager.
#pragma once

#include "manager.h"
#include "retry.h"

#include "ipc/channel.h"

namespace qmgr {

// Serves one person's tool. `may_change`: root or the queue's owner, for postsuper's commands; others may list and flush.
async::Task<> serve_command(ipc::Channel channel, Manager& manager, Retry& retry, bool may_change);

} // namespace qmgr
