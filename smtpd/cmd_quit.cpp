// cmd_quit: QUIT, RSET, NOOP and VRFY, RFC 5321 4.1.1.5 to 4.1.1.10.
#include "commands.h"
#include "restrictions/stages.h"

#include "mail/address.h"

namespace smtpd {

async::Task<smtp::Reply> cmd_rset(Session& s, const smtp::Command& command)
{
    if (!command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: RSET"};
    s.reset();
    co_return smtp::Reply{250, "2.0.0", "Ok"};
}

async::Task<smtp::Reply> cmd_noop(Session&, const smtp::Command&) { co_return smtp::Reply{250, "2.0.0", "Ok"}; }

// RFC 5321 3.5.3: 252 says that we will take it, and nothing of whether the user exists.
async::Task<smtp::Reply> cmd_vrfy(Session& s, const smtp::Command& command)
{
    if (s.config.disable_vrfy_command) co_return smtp::Reply{502, "5.5.1", "VRFY command is disabled"};
    auto path = smtp::parse_path(command.arguments);
    if (!path || path->null()) co_return smtp::Reply{501, "5.1.3", "Bad recipient address syntax"};
    auto refusal = co_await restrictions::check_recipient(s, "VRFY", std::nullopt, path->address);
    if (refusal) co_return *refusal;
    co_return smtp::Reply{252, "2.0.0", s.service.router.rewrite(path->address)};
}

async::Task<smtp::Reply> cmd_quit(Session& s, const smtp::Command&)
{
    s.done = true;
    co_return smtp::Reply{221, "2.0.0", "Bye"};
}

} // namespace smtpd
