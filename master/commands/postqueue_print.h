// postqueue_print: the queue in the two forms that people and scripts know from Postfix.
#pragma once

#include "spool/listing.h"

#include <string>

namespace commands {

std::string listing_heading();
std::string listing_entry(const spool::ListedMessage& message);
std::string listing_end(size_t count, uint64_t bytes);
std::string json_line(const spool::ListedMessage& message);    // as postqueue -j: one object a line

} // namespace commands
