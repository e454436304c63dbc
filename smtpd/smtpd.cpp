// smtpd: the entrance. Takes mail by SMTP from strangers (25), from our users (587, 465), and from the sendmail command (a Unix socket).
//
//   started by  master, as many processes a service line of master.cf as there are processors
//   trusts      nothing it reads; of the spool it holds only the descriptors that qmgr gave it
//   gives to    qmgr (spool::Maker), by Intake
//   asks        auth: who is this?
//   speaks      RFC 5321, 6409, 3207, 4954, 1870, 6152, 2034, 2920, 3030, 3461, 6531, 1985, 9422; or LMTP, RFC 2033
//   read next   session.cpp, dialogue.cpp, then cmd_*.cpp in the order of a dialogue

#include "session.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "routing/prepare_tables.h"

namespace {

async::Task<> pick_up(spool::Pickup pickup, smtpd::Service& service)
{
    spool::PickedUp verdict = co_await smtpd::serve_file(std::move(pickup.name), pickup.uid, std::move(pickup.file), service);
    service.maker.answer(std::move(verdict));
}

// The extremes of clients' rates, which any of the service's processes may log.
void report(smtpd::Service& service, std::chrono::seconds interval)
{
    auto unit = std::chrono::duration_cast<std::chrono::seconds>(service.config.anvil_rate_time_unit);
    for (const auto& line : service.counts.report(interval, unit)) base::log::info_as("anvil", line);
}

async::Task<> keep_reporting(smtpd::Service& service)
{
    auto interval = std::chrono::duration_cast<std::chrono::seconds>(service.config.anvil_status_update_time);
    while (true) {
        co_await async::sleep(service.config.anvil_status_update_time);
        report(service, interval);
    }
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("smtpd", argc, argv);
    bool letterbox = daemon.is_unix();
    auto tables = routing::prepare_tables(daemon.config());
    // Keys and tables, while we may read them.
    smtpd::Service service(daemon.config(), daemon.background(), letterbox, {}, daemon.take_shared_memory());

    sandbox::Rights rights;
    rights.network = !letterbox || service.milters.needs_internet() || tables.internet;
    rights.read = daemon.readable();
    rights.read.insert(rights.read.end(), tables.read.begin(), tables.read.end());
    rights.write = {"/dev/null"};
    daemon.drop_privileges(daemon.config().null_owner, rights);

    if (letterbox) service.maker.offer_pickup([&](spool::Pickup pickup) { return pick_up(std::move(pickup), service); });
    if (!letterbox) {
        daemon.background().start(keep_reporting(service));
        daemon.on_stop = [&] { report(service, std::chrono::seconds(0)); };
        daemon.on_drain = daemon.on_stop;
    }
    return daemon.serve([&](net::Stream client) { return smtpd::serve(std::move(client), service); });
}
