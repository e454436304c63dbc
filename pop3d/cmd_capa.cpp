// CAPA, RFC 2449 5, and LANG, RFC 6856 3, after login.
#include "commands.h"
#include "login_capabilities.h"

namespace pop3d {

async::Task<> cmd_capa(Session& session, Arguments arguments)
{
    arguments.end();
    session.ok();
    for (auto tag : pop3_login::common_tags()) {
        session.write(tag);
        session.write("\r\n");
    }
    session.write(".\r\n");
    co_return;
}

async::Task<> cmd_lang(Session& session, Arguments arguments)
{
    session.write(pop3_login::answer_lang(arguments.rest()));
    session.write("\r\n");
    co_return;
}

} // namespace pop3d
