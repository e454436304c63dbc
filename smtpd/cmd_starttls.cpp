// cmd_starttls: STARTTLS, RFC 3207. Nothing that was said before it counts afterwards.
#include "commands.h"
#include "client_limits.h"
#include "secure.h"

namespace smtpd {

async::Task<smtp::Reply> cmd_starttls(Session& s, const smtp::Command& command)
{
    if (!command.arguments.empty()) co_return smtp::Reply{501, "5.5.4", "Syntax: STARTTLS"};
    if (s.tls) co_return smtp::Reply{554, "5.5.1", "Error: TLS already active"};
    if (!s.service.tls && s.service.tls_level == TlsLevel::none) co_return smtp::Reply{502, "5.5.1", "Error: command not implemented"};
    if (!s.service.tls) co_return smtp::Reply{454, "4.7.0", "TLS not available due to local problem"};
    if (auto refusal = refuse_starttls(s)) co_return *refusal;
    s.say({220, "2.0.0", "Ready to start TLS"});
    co_await start_tls(s);
    // RFC 3207 4.2: the client says EHLO again.
    s.client.helo.clear();
    s.client.protocol = s.service.lmtp ? "LMTP" : "SMTP";
    s.sasl_user.clear();
    s.reset();
    if (auto refusal = refuse_new_tls(s)) co_return *refusal;
    co_return smtp::Reply{};
}

} // namespace smtpd
