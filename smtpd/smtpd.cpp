// smtpd: the entrance. Takes mail by SMTP from strangers (25), from our users (587, 465), and from the sendmail command (a Unix socket).
//
//   started by  master, as many processes a service line of master.cf as there are processors
//   trusts      nothing it reads; of the spool it holds only the descriptors that qmgr gave it
//   gives to    qmgr (spool::Maker), by Intake
//   asks        auth: who is this?
//   speaks      RFC 5321, 6409, 3207, 4954, 1870, 6152, 2034, 2920, 3030, 6531
//   read next   session.cpp, then cmd_*.cpp in the order of a dialogue

#include "session.h"

#include "base/log.h"
#include "daemon/daemon.h"

namespace {

async::Task<> pick_up(spool::Pickup pickup, smtpd::Service& service)
{
    spool::PickedUp verdict = co_await smtpd::serve_file(std::move(pickup.name), pickup.uid, std::move(pickup.file), service);
    service.maker.answer(std::move(verdict));
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("smtpd", argc, argv);
    bool letterbox = daemon.is_unix();
    smtpd::Service service(daemon.config(), daemon.background(), letterbox);    // keys and tables, while we may read them

    sandbox::Rights rights;
    rights.network = !letterbox;
    rights.read = daemon.readable();
    rights.write = {"/dev/null"};
    daemon.drop_privileges(daemon.config().null_owner, rights);

    if (letterbox) service.maker.offer_pickup([&](spool::Pickup pickup) { return pick_up(std::move(pickup), service); });
    return daemon.serve([&](net::Stream client) { return smtpd::serve(std::move(client), service); });
}
