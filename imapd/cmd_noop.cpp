// NOOP, RFC 3501 6.1.2, and CHECK, 6.4.1: what they are for is the news, which the session tells after every command.
#include "cmd.h"

namespace imapd {

async::Task<Tagged> cmd_noop(Session&, Arguments& arguments)
{
    arguments.end();
    co_return ok("NOOP completed");
}

async::Task<Tagged> cmd_check(Session&, Arguments& arguments)
{
    arguments.end();
    co_return ok("CHECK completed");
}

} // namespace imapd
