// STATUS, RFC 3501 6.3.10; SIZE, RFC 8438; DELETED, RFC 9051 6.3.11.
#include "cmd.h"

#include "status.h"

namespace imapd {

async::Task<Tagged> cmd_status(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.space();
    auto items = parse_status_items(arguments);
    arguments.end();
    bool found = co_await say_status(session, name, std::move(items));
    if (!found) co_return no("[NONEXISTENT] No such mailbox");
    co_return ok("STATUS completed");
}

} // namespace imapd
