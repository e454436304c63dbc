// pop3d: gives people their mail by POP3, after pop3-login has proved who they are.
//
//   started by  master, once; it forks a worker for each mailbox owner's uid
//   trusts      auth, who says whose a ticket is; no byte of the client
//   takes from  pop3-login, on private/pop3: a connection and its ticket
//   works in    the user's inbox, with that user's rights only
//   speaks      RFC 1939, 2449, 3206
//   read next   session.cpp, then commands.cpp and cmd_*.cpp in the order of a dialogue
#include "session.h"

#include "login/host.h"

int main(int argc, char** argv)
{
    daemons::Daemon daemon("pop3d", argc, argv);
    const pop3d::Settings settings = pop3d::settings_from(daemon.config());
    auto session = [&settings](net::Stream client, login::Session owner) {
        return pop3d::serve(std::move(client), std::move(owner), settings);
    };
    login::Host host(daemon, "pop3", session);
    return host.serve();
}
