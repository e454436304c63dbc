// secure: the TLS handshake of a session, by STARTTLS or from the first byte, and what the log says of it.
#pragma once

#include "session.h"

namespace smtpd {

// Afterwards s.tls is set. Throws net::Gone when it fails: then the connection is good for nothing. REQUIRES: s.service.tls
async::Task<> start_tls(Session& s);

} // namespace smtpd
