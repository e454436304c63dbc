// DELE, RSET and NOOP, RFC 1939 5: marks, which only QUIT carries out. LAST, RFC 1460.
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
    for (auto& message : session.messages) {
        message.deleted = false;
        if (session.settings.last) message.retrieved = false;
    }
    session.last = 0;
    session.ok();
    co_return;
}

// The highest number that was retrieved, in this session or before.
async::Task<> cmd_last(Session& session, Arguments arguments)
{
    if (!session.settings.last) throw Bad("Unknown command.");
    arguments.end();
    session.ok(std::to_string(session.last));
    co_return;
}

async::Task<> cmd_noop(Session& session, Arguments arguments)
{
    arguments.end();
    session.ok();
    co_return;
}

} // namespace pop3d
