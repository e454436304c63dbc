// smtp-client: the carrier outwards. Takes messages from the queue manager and gives them to other servers by SMTP or
// LMTP.
//
//   started by  master, for the lines of master.cf whose command is smtp, relay or lmtp
//   trusts      the queue manager; no server, and no answer of the DNS
//   reads       the one file of each message, by the descriptor that comes with it
//   speaks      RFC 5321, 2033 (LMTP), 2920, 1870, 6152, 3207, 3461, 6531, 7505
//   read next   deliver.cpp, then session.cpp and transaction.cpp
#include "daemon/daemon.h"
#include "deliver.h"
#include "spool/agent.h"

#include "base/log.h"
#include "tls/from_config.h"

#include <cstdlib>
#include <optional>

using namespace smtp_client;

namespace {

bool is_lmtp(const daemons::Daemon& daemon)
{
    return daemon.command() == "lmtp" || (daemon.command() == "smtp-client" && daemon.service() == "lmtp");
}

// Name service and authorities: files that change, and are read again while we run.
sandbox::Rights rights(const tls::ClientSettings& tls)
{
    sandbox::Rights rights;
    rights.network = true;
    rights.read = {"/etc", "/run", "/usr/share/ca-certificates", "/usr/local/share/ca-certificates",
                   "/usr/share/zoneinfo"};
    if (!tls.ca_path.empty()) rights.read.push_back(tls.ca_path);
    return rights;
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("smtp-client", argc, argv);
    std::optional<Settings> settings;
    std::optional<tls::ClientContext> tls; // private keys, while we may read them
    tls::ClientSettings tls_settings;
    try {
        settings = read_settings(daemon.config(), is_lmtp(daemon));
        auto use = settings->tls.required() ? tls::Use::mandatory : tls::Use::opportunistic;
        tls_settings = tls::client_settings(daemon.config(), settings->lmtp ? "lmtp" : "smtp", use);
        if (settings->tls.level != tls::Level::none) tls.emplace(tls_settings);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        return EXIT_FAILURE;
    }
    daemon.drop_privileges(daemon.config().null_owner, rights(tls_settings));

    dns::Resolver resolver;
    Agent agent(std::move(*settings), resolver, tls ? &*tls : nullptr);
    daemon.on_drain = [&agent] { agent.connections.dismiss_all(); };
    auto deliver_one = [&agent](const spool::Deliver& job) { return deliver(agent, job); };
    return daemon.serve_channels([&](ipc::Channel channel) {
        return spool::serve_queue_manager(std::move(channel), daemon.nursery(), deliver_one);
    });
}
