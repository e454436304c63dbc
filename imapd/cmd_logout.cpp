// LOGOUT, RFC 3501 6.1.3.
#include "cmd.h"

namespace imapd {

async::Task<Tagged> cmd_logout(Session& session, Arguments& arguments)
{
    arguments.end();
    session.client.say("* BYE Logging out");
    session.over = true;
    co_return ok("LOGOUT completed");
}

} // namespace imapd
