// host: the session stage of imapd and pop3d. A supervisor takes what the login stage hands over, asks auth whose ticket it is, and
// gives the connection to the worker process of that user's uid, which it forks at need. A worker serves all sessions of its uid in
// one loop, with that uid's rights only, and ends after it had none for a while.
#pragma once

#include "daemon/daemon.h"
#include "login/session.h"
#include "login/workers.h"

#include <functional>
#include <optional>
#include <string>

namespace login {

struct HandOver;
struct HandedOver;

// Asks auth about a ticket; nothing when it is not a good one. Throws when auth can't be asked.
using Redeem = std::function<async::Task<std::optional<Account>>(const HandOver&)>;

class Host {
public:
    // protocol: "imap" or "pop3", as auth's userdb calls it. `session` runs in the worker; it returns when the session is over.
    Host(daemons::Daemon& daemon, std::string protocol, SessionFunction session);
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    int serve();        // until master wants us to stop; the exit status

    // For tests: a supervisor without auth and without a daemon.
    static async::Task<> take(ipc::Channel channel, Workers& workers, const Redeem& redeem);

private:
    daemons::Daemon& daemon_;
    Workers workers_;
    Redeem redeem_;
};

} // namespace login
