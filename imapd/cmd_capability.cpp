// CAPABILITY, RFC 3501 6.1.1; ENABLE, RFC 5161: there is nothing that waits to be enabled.
#include "cmd.h"

namespace imapd {

async::Task<Tagged> cmd_capability(Session& session, Arguments& arguments)
{
    arguments.end();
    session.client.say("* CAPABILITY " + capabilities(session.settings));
    co_return ok("CAPABILITY completed");
}

async::Task<Tagged> cmd_enable(Session& session, Arguments& arguments)
{
    do {
        arguments.space();
        arguments.atom();
    } while (!arguments.at_end());
    session.client.say("* ENABLED");
    co_return ok("ENABLE completed");
}

} // namespace imapd
