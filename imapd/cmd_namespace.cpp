// NAMESPACE, RFC 2342: one personal one.
#include "cmd.h"

#include <fmt/format.h>

namespace imapd {

async::Task<Tagged> cmd_namespace(Session& session, Arguments& arguments)
{
    arguments.end();
    session.client.say(fmt::format("* NAMESPACE ((\"\" \"{}\")) NIL NIL", session.mail.store->separator()));
    co_return ok("NAMESPACE completed");
}

} // namespace imapd
