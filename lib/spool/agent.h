// agent: what every delivery agent does: take Deliver from the queue manager, hand it to the program's own deliver(), send Done, and
// write the delivery line of the log in Postfix's form.
#pragma once

#include "async/nursery.h"
#include "base/clock.h"
#include "ipc/channel.h"
#include "spool/messages.h"

#include <functional>

namespace spool {

// Serves one connection of the queue manager; deliveries run side by side, as many as the queue manager sends. An exception that
// escapes from `deliver` defers all recipients of its job (4.3.0). Ends when the queue manager closes; what still runs goes on.
using DeliverFunction = std::function<async::Task<Done>(const Deliver&)>;
async::Task<> serve_queue_manager(ipc::Channel channel, async::Nursery& nursery, DeliverFunction deliver);

// Times of one delivery, for delay= and delays=a/b/c/d.
struct Timing {
    base::Wall started = base::wall_now();          // the agent began
    base::Wall connected = started;                 // the connection is up (or was there already)
};

// "QID: to=<T>, orig_to=<O>, relay=R, delay=D, delays=a/b/c/d, dsn=X.Y.Z, status=sent (TEXT)". relay: "host[addr]:25", "local", "none".
// connection_uses above 1 adds conn_use=N. program: under which name it is said, if not our own.
void log_delivery(const Deliver& job, const Recipient& recipient, const Outcome& outcome, const std::string& relay, const Timing& timing,
                  int connection_uses = 1, std::string_view program = {});

// Every recipient the same; each is logged.
Done same_for_all(const Deliver& job, Outcome::Status status, const std::string& dsn, const std::string& text, const std::string& relay,
                  const Timing& timing);

} // namespace spool
