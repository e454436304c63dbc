// local-delivery: the end of the way on this machine. Puts messages into mailboxes, files and commands.
//
//   started by  master, for the lines of master.cf whose command is local, virtual or pipe
//   trusts      the queue manager, its tables, and the files of root; no user's file, and no content
//   runs as     root that reads no mail, and workers that do, each with the rights of one user
//   gives to    Maildir, mbox, commands; the queue, where aliases and .forward files send mail on
//   read next   local.cpp, expansion.cpp, worker.cpp; virtual_mailbox.cpp; pipe/pipe.cpp
#include "daemon/daemon.h"
#include "local.h"
#include "pipe/pipe.h"
#include "virtual_mailbox.h"

#include "base/log.h"

#include <cstdlib>
#include <limits>
#include <optional>

using namespace local_delivery;

namespace {

Workers::Limits limits(const daemons::Daemon& daemon, bool is_virtual)
{
    Workers::Limits limits;
    limits.idle = daemon.config().max_idle;
    limits.processes = static_cast<size_t>(daemon.config().default_process_limit);
    limits.change_user = daemon.privileged();
    limits.sandboxed = daemon.config().sandbox;
    limits.for_virtual = is_virtual;
    return limits;
}

int serve_pipe(daemons::Daemon& daemon)
{
    Workers::Limits bounds = limits(daemon, false);
    bounds.processes = daemon.process_limit() > 0 ? static_cast<size_t>(daemon.process_limit()) : std::numeric_limits<size_t>::max();
    std::optional<PipeAgent> agent;
    try {
        agent.emplace(daemon.config(), daemon.service(), daemon.arguments(), bounds);
    } catch (const std::exception& failure) {
        base::log::fatal("{}: {}", daemon.service(), failure.what());
        return EXIT_FAILURE;
    }
    daemon.on_drain = [&] { agent->workers.drain(); };
    daemon.on_stop = [&] { agent->workers.stop(); };
    auto deliver = [&](const spool::Deliver& job) { return deliver_by_pipe(*agent, job); };
    return daemon.serve_channels([&](ipc::Channel channel) {
        return spool::serve_queue_manager(std::move(channel), daemon.nursery(), deliver);
    });
}

int serve_mailboxes(daemons::Daemon& daemon)
{
    bool is_virtual = daemon.command() == "virtual";
    if (!daemon.privileged()) base::log::info("not started as root: all mail is delivered as uid {}", ::geteuid());
    std::optional<Agent> agent;
    try {
        agent.emplace(daemon.config(), daemon.service(), is_virtual, daemon.queue_folder(), limits(daemon, is_virtual));
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        return EXIT_FAILURE;
    }
    daemon.on_drain = [&] { agent->workers.drain(); };
    daemon.on_stop = [&] { agent->workers.stop(); };
    auto deliver = [&](const spool::Deliver& job) { return is_virtual ? deliver_virtual(*agent, job) : deliver_local(*agent, job); };
    return daemon.serve_channels([&](ipc::Channel channel) {
        return spool::serve_queue_manager(std::move(channel), daemon.nursery(), deliver);
    });
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("local-delivery", argc, argv);
    sandbox::Rights rights;
    rights.fork_and_exec = rights.change_user = true;
    daemon.drop_privileges("", rights);
    return daemon.command() == "pipe" ? serve_pipe(daemon) : serve_mailboxes(daemon);
}
