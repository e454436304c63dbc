// CAPABILITY, RFC 3501 6.1.1; ENABLE, RFC 5161.
#include "cmd.h"

#include "base/text.h"

namespace imapd {

namespace {

bool enable(Session& session, std::string_view name)
{
    Enabled& enabled = session.enabled;
    if (name == "CONDSTORE") {
        bool before = enabled.condstore;
        session.enable_condstore();
        return !before;
    }
    if (name == "QRESYNC") {
        session.enable_condstore(); // RFC 7162 3.2.3
        return !std::exchange(enabled.qresync, true);
    }
    if (name == "UTF8=ACCEPT") return !std::exchange(enabled.utf8, true);
    if (name == "IMAP4REV2") return !std::exchange(enabled.rev2, true);
    return false;
}

} // namespace

async::Task<Tagged> cmd_capability(Session& session, Arguments& arguments)
{
    arguments.end();
    session.client.say("* CAPABILITY " + capabilities(session.settings));
    co_return ok("CAPABILITY completed");
}

async::Task<Tagged> cmd_enable(Session& session, Arguments& arguments)
{
    std::string enabled;
    do {
        arguments.space();
        std::string name = base::upper(arguments.atom());
        // RFC 5161 3.1: what we do not know is passed over, and what is on already is not told again.
        if (enable(session, name)) enabled += " " + name;
    } while (!arguments.at_end());
    session.client.say("* ENABLED" + enabled);
    co_return ok("ENABLE completed");
}

} // namespace imapd
