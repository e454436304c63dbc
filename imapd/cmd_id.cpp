// ID, RFC 2971: who the client says it is goes to the log when that is verbose; we give our name.
#include "cmd.h"

#include "base/log.h"
#include "base/text.h"

namespace imapd {

namespace {

// id_params_list = "(" [string SP nstring *(SP string SP nstring)] ")" / nil
std::string read_list(Arguments& arguments)
{
    std::string words;
    if (!arguments.skip('(')) {
        if (!arguments.skip_keyword("NIL")) throw Bad("Expected a list or NIL");
        return words;
    }
    size_t count = 0;
    while (!arguments.skip(')')) {
        if (count > 0) arguments.space();
        if (++count > 30) throw Bad("More than 30 fields"); // RFC 2971 3.3
        std::string name = arguments.astring();
        arguments.space();
        std::string value = arguments.nstring().value_or("");
        words += " " + name + "=" + value;
    }
    return words;
}

} // namespace

async::Task<Tagged> cmd_id(Session& session, Arguments& arguments)
{
    arguments.space();
    std::string words = read_list(arguments);
    arguments.end();
    base::log::debug("user={}: ID{}", base::printable(session.owner.user), base::printable(words));
    session.client.say("* ID (\"name\" \"Rookpost\")");
    co_return ok("ID completed");
}

} // namespace imapd
