// commands: the table of what we understand. A command's code is in cmd_<verb>.cpp.
#pragma once

#include "news.h"
#include "session.h"

#include <string_view>

namespace imapd {

struct Command {
    std::string_view name; // in capitals
    bool needs_mailbox;    // only in the selected state
    News news;             // told before the tagged answer
    async::Task<Tagged> (*run)(Session&, Arguments&);
};

const Command* find_command(std::string_view name); // in any case

} // namespace imapd
