// notices: who is told what became of a message: failures, delays (delay_warning_time) and, where RFC 3461 NOTIFY=SUCCESS asked for it,
// deliveries; and the copies for the postmaster (notify_classes).
#pragma once

#include "message.h"

#include "async/task.h"
#include "config/config.h"

namespace qmgr {

class Manager;

// Whether anything is to be told now that a round of deliveries is over. Costs a look at each recipient.
bool notice_is_due(const config::Config& config, const Message& message);

// Writes the notices that are due as new messages, and returns when they are on disk and accepted. Throws when the notice of a failure could
// not be kept; of other notices only the log tells. Marks what was told: message.delay_told, RecipientState::news.
async::Task<> send_notices(Manager& manager, Message& message);

} // namespace qmgr
