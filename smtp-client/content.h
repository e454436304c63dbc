// content: the message from its queue file onto the wire, in DATA's form, with few large writes.
#pragma once

#include "rewriter.h"
#include "session.h"
#include "spool/messages.h"

namespace smtp_client {

// How it is sent.
struct ContentForm {
    size_t line_limit = 998;      // 0: none
    bool seven_bits_only = false; // eight-bit parts become quoted-printable
    Editor* editor = nullptr;     // what tables change
    size_t edit_body_limit = 0;   // so much of each body is shown to it
    async::Limit limit{0};        // for each piece
    int64_t least_rate = 0;       // bytes a second; 0: `limit` is for each piece, not for all and what the rate gives
    async::Limit dot_delay{0};    // before the final dot, which then comes alone
};

// Sends it with the final dot. Before the write that holds the dot, `stage` of the session says so: from then on the
// server may have taken the message. Throws net::Gone, base::SystemError, and what the editor throws.
async::Task<> send_content(Session& session, const spool::Deliver& job, ContentForm form);

// Is there a byte above 127 in the header section? A file that cannot be read has none.
bool header_beyond_ascii(const spool::Deliver& job);

extern const char* const stage_body;
extern const char* const stage_end_of_data;

} // namespace smtp_client
