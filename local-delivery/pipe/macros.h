// macros: the command line of pipe(8), with $recipient and its kin filled in for one delivery.
#pragma once

#include "pipe/attributes.h"
#include "spool/messages.h"

namespace local_delivery {

// Throws config::Error for a macro that nobody knows.
void check_pipe_macros(const std::vector<std::string>& words);

// A word that names something of a recipient is there once for each of them, and not at all for one who has no $user. delimiters:
// recipient_delimiter; special: owner_request_special.
std::vector<std::string> pipe_command_line(const PipeAttributes& attributes, const spool::Deliver& job, std::string_view delimiters, bool special);

} // namespace local_delivery
