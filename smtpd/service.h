// service: what all sessions of one smtpd process share; made while we may still read keys and tables.
#pragma once

#include "rewrite_clients.h"

#include "async/nursery.h"
#include "cleanup/rules.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "filters/milter_settings.h"
#include "ipc/client_counts.h"
#include "maps/map.h"
#include "maps/matchlist.h"
#include "restrictions/rules.h"
#include "routing/recipients.h"
#include "routing/router.h"
#include "sasl.h"
#include "smtp/command.h"
#include "smtp/data.h"
#include "spool/maker.h"
#include "tls/context.h"

#include <memory>
#include <optional>
#include <set>

namespace smtpd {

enum class TlsLevel { none, may, encrypt };

class Service {
public:
    // letterbox: serves the local sendmail command over a Unix socket instead of the network.
    // shared: the memory of ipc::ClientCounts, if master gave one.
    Service(const config::Config& config, async::Nursery& nursery, bool letterbox, dns::Options dns = {}, base::Fd shared = {});

    const config::Config& config;
    const bool letterbox;
    const bool lmtp;                                // smtpd_protocol = lmtp
    const std::string name;                         // in master.cf: "smtp"
    routing::Router router;
    routing::Recipients recipients;
    cleanup::Rules rules;
    restrictions::Rules restriction_lists;
    maps::NetworkList trusted_networks;             // mynetworks
    RewriteClients rewrite_clients;                 // local_header_rewrite_clients
    maps::NetworkList bare_newline_exceptions;      // smtpd_forbid_bare_newline_exclusions
    maps::NetworkList limit_exceptions;             // smtpd_client_event_limit_exceptions
    std::optional<tls::ServerContext> tls;          // empty: no certificate, or smtpd_tls_security_level = none
    TlsLevel tls_level = TlsLevel::none;
    std::unique_ptr<sasl::AuthClient> auth;         // null: smtpd_sasl_auth_enable = no
    std::optional<SaslRules> sasl_rules;            // with auth
    spool::Maker maker;
    dns::Resolver resolver;
    smtp::BareNewline bare_newline = smtp::BareNewline::normalize;
    bool note_bare_newline = false;                 // smtpd_forbid_bare_newline = note
    maps::NetworkList xclient_hosts, xforward_hosts;    // smtpd_authorized_xclient_hosts, smtpd_authorized_xforward_hosts
    maps::MatchList noop_commands, forbidden_commands;  // smtpd_noop_commands, smtpd_forbidden_commands
    maps::MatchList flushable_domains;              // fast_flush_domains
    std::unique_ptr<maps::Map> command_filter;      // smtpd_command_filter; null: none
    std::string banner;
    ipc::ClientCounts counts;
    MilterSettings milters;
    uint64_t sessions = 0;                          // so far

    bool has_proxy() const { return !letterbox && !config.smtpd_proxy_filter.empty(); }

    // smtpd_discard_ehlo_keyword_address_maps, else smtpd_discard_ehlo_keywords; lower case. Throws maps::Unavailable.
    std::set<std::string> hidden_keywords_for(const std::string& address);

private:
    maps::Maps hidden_keyword_maps_;
};

} // namespace smtpd
