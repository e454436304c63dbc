// SUBSCRIBE and UNSUBSCRIBE, RFC 3501 6.3.6 and 6.3.7.
#include "cmd.h"

namespace imapd {

namespace {

Tagged change(Session& session, Arguments& arguments, bool on, std::string_view done)
{
    arguments.space();
    std::string name = arguments.mailbox();
    arguments.end();
    store::Answer answer = session.mail.store->subscribe(name, on);
    // To drop what is not there is no error: clients do so to be sure.
    if (answer == store::Answer::missing && !on) answer = store::Answer::done;
    return tagged(answer, done);
}

} // namespace

async::Task<Tagged> cmd_subscribe(Session& session, Arguments& arguments)
{
    co_return change(session, arguments, true, "SUBSCRIBE completed");
}

async::Task<Tagged> cmd_unsubscribe(Session& session, Arguments& arguments)
{
    co_return change(session, arguments, false, "UNSUBSCRIBE completed");
}

} // namespace imapd
