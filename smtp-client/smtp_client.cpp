// smtp-client: the carrier outwards. Takes messages from the queue manager and gives them to other servers by SMTP or
// LMTP.
//
//   started by  master, for the lines of master.cf whose command is smtp, relay or lmtp
//   trusts      the queue manager and its tables; no server, and no answer of the DNS
//   reads       the one file of each message, by the descriptor that comes with it
//   speaks      RFC 5321, 2033 (LMTP), 2920, 1870, 6152, 3207, 3461, 4954, 6531, 7505
//   read next   deliver.cpp, then session.cpp and transaction.cpp
#include "daemon/daemon.h"
#include "shift.h"
#include "spool/agent.h"

#include "base/log.h"
#include "routing/prepare_tables.h"
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
sandbox::Rights rights(const daemons::Daemon& daemon, const tls::ClientSettings& tls, const maps::TableNeeds& needs)
{
    sandbox::Rights rights;
    rights.network = true;
    rights.read = daemon.readable(); // tables, authorities
    rights.read.insert(rights.read.end(), needs.read.begin(), needs.read.end());
    if (!tls.ca_path.empty()) rights.read.push_back(tls.ca_path);
    return rights;
}

} // namespace

int main(int argc, char** argv)
{
    daemons::Daemon daemon("smtp-client", argc, argv);
    std::optional<Settings> settings;
    std::optional<tls::ClientContext> tls; // private keys, while we may read them
    std::unique_ptr<Tables> tables;        // and passwords
    tls::ClientSettings tls_settings;
    auto needs = routing::prepare_tables(daemon.config());
    try {
        settings = read_settings(daemon.config(), is_lmtp(daemon));
        tables = std::make_unique<Tables>(daemon.config(), settings->lmtp);
        if (settings->sasl.enabled) tables->read_passwords();
        // Each session chooses its protocols and ciphers by its policy.
        tls_settings = tls::client_settings(daemon.config(), settings->lmtp ? "lmtp" : "smtp", tls::Use::opportunistic);
        if (settings->tls.level != tls::Level::none || !tables->tls_policy.empty()) tls.emplace(tls_settings);
    } catch (const std::exception& failure) {
        base::log::fatal("{}", failure.what());
        return EXIT_FAILURE;
    }
    daemon.drop_privileges(daemon.config().null_owner, rights(daemon, tls_settings, needs));

    dns::Resolver resolver;
    Agent agent(std::move(*settings), resolver, tls ? &*tls : nullptr, std::move(tables));
    daemon.on_drain = [&agent] { agent.connections.dismiss_all(); };
    Shift shift(agent);
    auto deliver_one = [&shift](const spool::Deliver& job) { return shift.deliver_one(job); };
    return daemon.serve_channels([&](ipc::Channel channel) {
        return spool::serve_queue_manager(std::move(channel), daemon.nursery(), deliver_one);
    });
}
