// content: the message from its queue file onto the wire, in DATA's form, with few large writes.
#pragma once

#include "session.h"
#include "spool/messages.h"

namespace smtp_client {

// Sends it with the final dot. Before the write that holds the dot, `stage` of the session says so: from then on the
// server may have taken the message. Throws net::Gone, base::SystemError.
async::Task<> send_content(Session& session, const spool::Deliver& job, size_t line_limit, async::Limit limit);

// Is there a byte above 127 in the header section? A file that cannot be read has none.
bool header_beyond_ascii(const spool::Deliver& job);

extern const char* const stage_body;
extern const char* const stage_end_of_data;

} // namespace smtp_client
