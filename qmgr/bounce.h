// bounce: telling the sender what could not be delivered, in words and in the machine-readable form of RFC 3464.
#pragma once

#include "message.h"

#include "async/task.h"
#include "config/config.h"

#include <string>

namespace qmgr {

class Manager;

// Writes the notice for the recipients in state bounced as a new message, and returns when it is on disk and accepted. Nothing to tell
// (NOTIFY=NEVER, a message from nobody): returns at once. Throws when the notice could not be kept.
async::Task<> send_bounce(Manager& manager, Message& message);

// The notice itself, headers and body, CRLF line ends. `original` is the failed message's content, already cut to what shall be returned.
std::string make_bounce(const config::Config& config, const Message& message, const std::string& bounce_id, const std::string& to,
                        std::string_view original, bool whole_message);

} // namespace qmgr
