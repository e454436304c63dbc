// envelope: MAIL and RCPT as they go on the wire, from what the queue manager wants delivered and what the server
// offers.
#pragma once

#include "problem.h"
#include "smtp/ehlo.h"
#include "spool/messages.h"

#include <optional>
#include <string>
#include <string_view>

namespace smtp_client {

// With the line end. utf8: the transaction is one of RFC 6531.
std::string mail_command(const spool::Deliver& job, const smtp::Capabilities& can, bool utf8);
std::string rcpt_command(const spool::Recipient& recipient, const smtp::Capabilities& can);
// Postfix's XFORWARD: who the client was, for a filter behind us. Empty when there is nothing to tell.
std::string xforward_command(const spool::Deliver& job, const smtp::Capabilities& can);

bool has_addresses_beyond_ascii(const spool::Deliver& job);
// An address that would break the line, or is too long for any.
bool is_sendable(std::string_view address);

} // namespace smtp_client
