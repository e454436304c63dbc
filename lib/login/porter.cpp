#include "login/porter.h"

#include "base/log.h"
#include "base/text.h"
#include "login/visitor.h"
#include "tls/from_config.h"
#include "tls/handshake.h"

#include <cstdlib>

namespace login {
namespace {

constexpr net::Limit goodbye_limit{5'000};

// Dovecot's "</etc/ssl/mail.pem" means the file's content; so does the name alone here.
std::string file_name(std::string_view value)
{
    if (!value.empty() && value.front() == '<') value.remove_prefix(1);
    return std::string(base::trim(value));
}

// A list that can't be read has nobody in it.
bool is_among(maps::NetworkList& networks, const net::Address& address)
{
    if (networks.empty() || address.is_unix()) return false;
    try {
        return networks.contains(address.ip());
    } catch (const maps::Unavailable& failure) {
        base::log::warning("{}", failure.what());
        return false;
    }
}

} // namespace

Rules rules_from(const config::Config& config, const std::string& protocol, bool wrapper)
{
    Rules rules;
    rules.protocol = protocol;
    rules.session_socket = "private/" + protocol;
    rules.greeting = base::printable(config.login_greeting, 200);
    rules.too_late = protocol == "imap" ? "* BYE Too much time taken to log in." : "-ERR Too much time taken to log in.";
    rules.login_limit = config.login_timeout;
    rules.plain_needs_tls = config.disable_plaintext_auth;
    rules.tls_required = config.ssl == "required";
    rules.wrapper = wrapper;
    rules.haproxy = config.haproxy;
    rules.haproxy_limit = config.haproxy_timeout;
    rules.haproxy_networks = base::join(config.haproxy_trusted_networks, " ");
    rules.trusted_networks = base::join(config.login_trusted_networks, " ");
    return rules;
}

std::optional<tls::ServerContext> tls_from(const config::Config& config, const std::string& protocol)
{
    std::string cert_file = file_name(config.ssl_cert);
    if (config.ssl == "no" || (cert_file.empty() && config.smtpd_tls_chain_files.empty())) return std::nullopt;
    tls::ServerSettings settings = tls::server_settings(config, tls::Use::mandatory);
    if (!cert_file.empty()) {
        settings.chain_files.clear();
        settings.cert_file = cert_file;
        settings.key_file = file_name(config.ssl_key);
    }
    settings.protocols = ">=" + config.ssl_min_protocol;
    settings.ask_certificate = settings.require_certificate = false;
    settings.session_context = protocol;
    settings.alpn = {protocol};
    return tls::ServerContext(std::move(settings));
}

Porter::Porter(Rules rules, std::optional<tls::ServerContext> tls, Converse converse)
    : rules_(std::move(rules)), tls_(std::move(tls)), converse_(converse), proxies_(rules_.haproxy_networks),
      trusted_(rules_.trusted_networks), auth_(rules_.auth_socket)
{
}

bool Porter::is_proxy(const net::Address& peer) { return is_among(proxies_, peer); }

bool Porter::is_trusted(const net::Address& client) { return is_among(trusted_, client); }

async::Task<> Porter::visit(Visitor& visitor)
{
    if (rules_.haproxy) {
        bool known = co_await visitor.ask_proxy();
        if (!known) co_return;
    }
    if (rules_.wrapper) co_await visitor.start_tls();
    co_await converse_(visitor);
}

async::Task<> Porter::receive(net::Stream client)
{
    Visitor visitor(*this, std::move(client));
    try {
        co_await visit(visitor);
    } catch (const net::Gone& gone) {
        bool too_late = gone.why() == net::Gone::timed_out;
        if (too_late) visitor.say_last(rules_.too_late);
        visitor.leaves_because(too_late ? "Disconnected: Inactivity" : "Disconnected: Connection closed");
    } catch (const net::LineTooLong&) {
        visitor.leaves_because("Disconnected: Too long line");
    } catch (const tls::Failed& failure) {
        visitor.leaves_because(fmt::format("Disconnected: TLS handshaking failed: {}", base::replace_all(failure.what(), "(", "[")));
    }
    visitor.log_leaving();
    if (visitor.handed_over() && !visitor.secured()) co_return;     // the connection is another process's: not a word more
    if (visitor.handed_over()) co_await visitor.relay_session();
    co_await visitor.stream().close(goodbye_limit);
}

int serve_porter(daemons::Daemon& daemon, const std::string& protocol, bool wrapper, Porter::Converse converse)
{
    std::optional<tls::ServerContext> tls;
    try {
        tls = tls_from(daemon.config(), protocol);
    } catch (const tls::Failed& failure) {
        base::log::warning("no TLS for {}: {}", protocol, failure.what());
    }
    if (!tls && wrapper) {
        base::log::fatal("{}: a service that begins with TLS needs ssl_cert and ssl_key", daemon.service());
        return EXIT_FAILURE;
    }
    if (daemon.config().find("imap_log_compat") == "dovecot")
        base::log::open("dovecot", daemon.config().maillog_file, daemon.config().syslog_facility);
    Porter porter(rules_from(daemon.config(), protocol, wrapper), std::move(tls), converse);
    sandbox::Rights rights;
    rights.write = {daemon.queue_folder() + "/private"};
    if (!daemon.config().tls_server_sni_maps.empty()) rights.read = daemon.readable();
    daemon.drop_privileges(daemon.config().null_owner, rights);
    return daemon.serve([&porter](net::Stream client) { return porter.receive(std::move(client)); });
}

} // namespace login
