// CAPA, RFC 2449 5, after login.
#include "commands.h"

namespace pop3d {

async::Task<> cmd_capa(Session& session, Arguments arguments)
{
    arguments.end();
    session.ok();
    for (const char* tag : {"CAPA", "TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "IMPLEMENTATION Rookpost"}) {
        session.stream.write(tag);
        session.stream.write("\r\n");
    }
    session.stream.write(".\r\n");
    co_return;
}

} // namespace pop3d
