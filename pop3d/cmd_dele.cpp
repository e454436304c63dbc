// DELE, RSET and NOOP, RFC 1939 5: marks, which only QUIT carries out.
#include "commands.h"

namespace pop3d {

async::Task<> cmd_dele(Session& session, Arguments arguments)
{
    Message& message = arguments.message(session);
    arguments.end();
    message.deleted = true;
    session.ok("Marked to be deleted.");
    co_return;
}

async::Task<> cmd_rset(Session& session, Arguments arguments)
{
    arguments.end();
    for (auto& message : session.messages) message.deleted = false;
    session.ok();
    co_return;
}

async::Task<> cmd_noop(Session& session, Arguments arguments)
{
    arguments.end();
    session.ok();
    co_return;
}

} // namespace pop3d
