// transaction: one message over one session: MAIL, RCPT …, DATA, content, and what the replies mean for each recipient.
#pragma once

#include "delivery.h"
#include "session.h"

namespace smtp_client {

enum class Ending : uint8_t {
    reusable, // the session is good for another message
    broken,   // the connection is gone, or out of step
    stale,    // a kept connection had died before it took anything: nothing was decided, try a new one
};

// Decides recipients of the delivery that are open, or gives them a reason. Never throws for what the server does.
async::Task<Ending> transact(Session& session, Delivery& delivery, Context& context);

} // namespace smtp_client
