// porter: the login stage of imapd and pop3d, as far as the two are alike. A Porter is what all clients of the process share; receive()
// is the whole visit of one client: TLS, the protocol's own dialogue up to the login, the hand-over, and for TLS the relaying after it.
#pragma once

#include "daemon/daemon.h"
#include "maps/matchlist.h"
#include "net/stream.h"
#include "sasl/auth_client.h"
#include "tls/context.h"

#include <optional>
#include <string>

namespace login {

class Visitor;

struct Rules {
    std::string protocol;                       // "imap", "pop3": auth's name of the service, and of log lines
    std::string auth_socket = "private/auth";
    std::string session_socket;                 // "private/imap"
    std::string greeting;
    std::string too_late;                       // what the protocol says when the time is up
    net::Limit login_limit{60'000};
    bool plain_needs_tls = true;                // disable_plaintext_auth
    bool tls_required = false;                  // ssl = required
    bool wrapper = false;                       // TLS from the first byte
    bool haproxy = false;                       // the PROXY protocol before everything else
    net::Limit haproxy_limit{3'000};
    std::string haproxy_networks;               // haproxy_trusted_networks: who may speak it
    std::string trusted_networks;               // login_trusted_networks: nearly as good as this machine
    int most_failures = 3;
    int most_bad_commands = 10;
};

Rules rules_from(const config::Config& config, const std::string& protocol, bool wrapper);
// Nothing when TLS is off or there is no certificate. Throws tls::Failed when what there is can't be used.
std::optional<tls::ServerContext> tls_from(const config::Config& config, const std::string& protocol);

class Porter {
public:
    // The protocol's dialogue: greets, answers commands, and returns when the client is handed over or shall go.
    using Converse = async::Task<> (*)(Visitor&);

    Porter(Rules rules, std::optional<tls::ServerContext> tls, Converse converse);

    async::Task<> receive(net::Stream client);

    const Rules& rules() const { return rules_; }
    const std::optional<tls::ServerContext>& tls() const { return tls_; }
    sasl::AuthClient& auth() { return auth_; }
    bool is_proxy(const net::Address& peer);
    bool is_trusted(const net::Address& client);

private:
    async::Task<> visit(Visitor& visitor);

    Rules rules_;
    std::optional<tls::ServerContext> tls_;
    Converse converse_;
    maps::NetworkList proxies_, trusted_;
    sasl::AuthClient auth_;
};

// The main of both login programs, once their options are read.
int serve_porter(daemons::Daemon& daemon, const std::string& protocol, bool wrapper, Porter::Converse converse);

} // namespace login
