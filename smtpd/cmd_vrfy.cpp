// cmd_vrfy: VRFY, RFC 5321 4.1.1.6: would this recipient be taken? 252 says yes, and nothing of whether the user exists.
#include "commands.h"
#include "client_limits.h"
#include "restrictions/stages.h"

#include "base/text.h"

namespace smtpd {

async::Task<smtp::Reply> cmd_vrfy(Session& s, const smtp::Command& command)
{
    if (s.config.disable_vrfy_command) co_return smtp::Reply{502, "5.5.1", "VRFY command is disabled"};
    std::string argument = command.arguments;
    // RFC 6531 3.1: "VRFY address SMTPUTF8".
    bool utf8 = s.config.smtputf8_enable && s.offers("smtputf8") && base::ends_with_word(argument, " SMTPUTF8");
    if (utf8) argument = base::trim_right(argument.substr(0, argument.size() - 9));
    if (argument.empty()) co_return smtp::Reply{501, "5.5.4", s.config.smtputf8_enable ? "Syntax: VRFY address [SMTPUTF8]" : "Syntax: VRFY address"};
    if (auto refusal = refuse_recipient(s)) co_return *refusal;
    smtp::Grammar grammar;
    grammar.utf8 = s.config.smtputf8_enable;
    auto path = smtp::parse_path(argument, grammar);
    if (!path || path->null()) co_return smtp::Reply{501, "5.1.3", "Bad recipient address syntax"};
    if (path->beyond_ascii() && !utf8 && s.config.strict_smtputf8)
        co_return smtp::Reply{553, "5.6.7", "Must declare SMTPUTF8 to send unicode address"};
    auto refusal = co_await restrictions::check_recipient(s, "VRFY", std::nullopt, path->address);
    if (refusal) co_return *refusal;
    co_return smtp::Reply{252, "2.0.0", argument};
}

} // namespace smtpd
