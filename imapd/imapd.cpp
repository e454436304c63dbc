// imapd: reads and changes mailboxes for mail programs, after imap-login has proved whose they are.
//
//   started by  master, once; it forks a worker for each mailbox owner's uid
//   trusts      auth, who says whose a ticket is; no byte of the client
//   takes from  imap-login, on private/imap: a connection and its ticket
//   works in    the user's mailboxes, with that user's rights only
//   speaks      RFC 3501 and 9051; the extensions that man/imapd.8 lists
//   read next   session.cpp, then commands.cpp and cmd_*.cpp in the order of a dialogue
#include "session.h"

#include "daemon/daemon.h"
#include "login/host.h"

int main(int argc, char** argv)
{
    daemons::Daemon daemon("imapd", argc, argv);
    const imapd::Settings settings = imapd::settings_from(daemon.config());
    auto session = [&settings](net::Stream client, login::Session owner) {
        return imapd::serve(std::move(client), std::move(owner), settings);
    };
    login::Host host(daemon, "imap", session);
    return host.serve();
}
