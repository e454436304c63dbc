// qmgr: the owner of the queue. Makes queue files for those who bring mail, hands complete ones to delivery agents, keeps what must wait,
// and tells senders what failed.
//
//   started by  master, once
//   trusts      nothing in a queue file but what its checksums say; its makers only with the descriptor they were given
//   gives to    local-delivery, smtp-client … by private/<transport>
//   takes from  smtpd and local-delivery at private/qmgr; postqueue and postsuper at public/qmgr
//   read next   manager.cpp, transport.cpp

#include "commands.h"
#include "maildrop.h"
#include "makers.h"
#include "manager.h"
#include "retry.h"

#include "base/log.h"
#include "daemon/daemon.h"
#include "routing/prepare_tables.h"

#include <sys/stat.h>
#include <unistd.h>

namespace {

struct Office {
    Office(daemons::Daemon& daemon)
        : daemon(daemon), manager(daemon.config(), daemon.nursery()), retry(manager), maildrop(daemon.queue_folder() + "/maildrop"),
          probes(manager), makers(manager, maildrop, probes), own_uid(::getuid())
    {}
    daemons::Daemon& daemon;
    qmgr::Manager manager;
    qmgr::Retry retry;
    qmgr::Maildrop maildrop;
    qmgr::Probes probes;
    qmgr::Makers makers;
    uid_t own_uid;
    uid_t null_uid = 0;
};

// The first packet tells a maker from a person's tool; the peer's uid tells what it may do.
async::Task<> serve(ipc::Channel channel, Office& office)
{
    uid_t uid = channel.peer().uid;
    bool owner = uid == 0 || uid == office.own_uid;
    co_await async::wait(channel.readable(), std::chrono::minutes(10));
    auto type = channel.peek_type();
    if (!type) co_return;
    if (*type == spool::Command::type) {
        co_await qmgr::serve_command(std::move(channel), office.manager, office.retry, owner);
    } else if (owner || uid == office.null_uid) {
        co_await office.makers.serve(std::move(channel));
    } else {
        base::log::warning("uid {} may not bring mail to the queue manager", uid);
    }
}

constexpr std::chrono::seconds longest_handover{6};

// Before the end: makers go to the successor, what is under way is finished.
async::Task<> hand_over(Office& office)
{
    office.daemon.stop_listening();
    office.maildrop.stop();
    office.makers.send_away();
    office.manager.stop_dispatching();
    auto give_up = base::steady_now() + longest_handover;
    while ((office.makers.busy() || office.manager.delivering() || office.probes.writing()) && base::steady_now() < give_up) co_await async::sleep(async::Limit(5));
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("qmgr", argc, argv);
    uid_t null_uid = daemon.privileged() ? sandbox::find_user(daemon.config().null_owner).uid : ::getuid();
    auto tables = routing::prepare_tables(daemon.config());
    sandbox::Rights rights;
    rights.network = tables.internet;
    rights.read = daemon.readable();
    rights.read.insert(rights.read.end(), tables.read.begin(), tables.read.end());
    rights.write = {daemon.queue_folder(), "/dev/null"};
    if (auto folder = qmgr::verify_cache_folder(daemon.config()); !folder.empty()) rights.write.push_back(folder);
    daemon.drop_privileges(daemon.config().mail_owner, rights, daemon.config().setgid_group);    // to read what postdrop left
    ::umask(077);

    Office office(daemon);
    office.null_uid = null_uid;
    office.retry.start();
    daemon.nursery().start(office.maildrop.scan_forever());
    daemon.nursery().start(office.probes.clean_up_forever());
    daemon.before_stop = [&] { return hand_over(office); };
    return daemon.serve_channels([&](ipc::Channel channel) { return serve(std::move(channel), office); });
}
