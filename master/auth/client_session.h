// client_session: a connection of smtpd or a login stage: Dovecot's auth protocol 1.2, the side that answers.
#pragma once

#include "context.h"
#include "net/stream.h"

namespace auth {

// Ends when the client leaves, or breaks the protocol (logged).
async::Task<> serve_client(net::Stream stream, Context& context);

} // namespace auth
