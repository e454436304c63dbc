// cmd_quit: QUIT, RSET, NOOP and HELP, RFC 5321 4.1.1.5 to 4.1.1.10.
#include "commands.h"

#include <fmt/ranges.h>

#include <set>

namespace smtpd {

async::Task<smtp::Reply> cmd_rset(Session& s, const smtp::Command& command)
{
    if (!command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: RSET"};
    s.reset();
    co_return smtp::Reply{250, "2.0.0", "Ok"};
}

async::Task<smtp::Reply> cmd_noop(Session&, const smtp::Command&) { co_return smtp::Reply{250, "2.0.0", "Ok"}; }

// RFC 5321 4.1.1.8: the verbs, and nothing of who we are.
async::Task<smtp::Reply> cmd_help(Session& s, const smtp::Command&)
{
    std::set<std::string_view> names;
    for (const Verb& verb : all_verbs())
        if (find_verb(verb.name, s.service.lmtp)) names.insert(verb.name);
    co_return smtp::Reply{214, "2.0.0", fmt::format("Commands: {}", fmt::join(names, " "))};
}

async::Task<smtp::Reply> cmd_quit(Session& s, const smtp::Command&)
{
    s.done = true;
    co_return smtp::Reply{221, "2.0.0", "Bye"};
}

} // namespace smtpd
