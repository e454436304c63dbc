// envelope: MAIL and RCPT as they go on the wire, from what the queue manager wants delivered and what the server
// offers.
#pragma once

#include "problem.h"
#include "smtp/ehlo.h"
#include "spool/messages.h"
#include "tables.h"

#include <optional>
#include <string>
#include <string_view>

namespace smtp_client {

// How addresses go out.
struct EnvelopeForm {
    Tables* tables = nullptr; // smtp_generic_maps
    bool quote = true;        // smtp_quote_rfc821_envelope
    bool dummy_auth = false;  // AUTH=<>: nobody vouches for the sender (RFC 4954 5)
    bool utf8 = false;        // the transaction is one of RFC 6531
};

// With the line end. Both throw maps::Unavailable.
std::string mail_command(const spool::Deliver& job, const smtp::Capabilities& can, const EnvelopeForm& form);
std::string rcpt_command(const spool::Recipient& recipient, const smtp::Capabilities& can, const EnvelopeForm& form);
// Postfix's XFORWARD: who the client was, for a filter behind us. Empty when there is nothing to tell.
std::string xforward_command(const spool::Deliver& job, const smtp::Capabilities& can);

bool has_addresses_beyond_ascii(const spool::Deliver& job);
// An address that would break the line, or is too long for any.
bool is_sendable(std::string_view address);

} // namespace smtp_client
