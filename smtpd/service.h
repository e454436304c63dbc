// service: what all sessions of one smtpd process share; made while we may still read keys and tables.
#pragma once

#include "async/nursery.h"
#include "config/config.h"
#include "dns/resolver.h"
#include "maps/matchlist.h"
#include "restrictions/rules.h"
#include "routing/address_maps.h"
#include "routing/recipients.h"
#include "routing/router.h"
#include "sasl/auth_client.h"
#include "smtp/command.h"
#include "smtp/data.h"
#include "spool/maker.h"
#include "tls/context.h"

#include <memory>
#include <optional>
#include <set>
#include <unordered_map>

namespace smtpd {

enum class TlsLevel { none, may, encrypt };

class Service {
public:
    // letterbox: serves the local sendmail command over a Unix socket instead of the network.
    Service(const config::Config& config, async::Nursery& nursery, bool letterbox, dns::Options dns = {});

    const config::Config& config;
    const bool letterbox;
    routing::Router router;
    routing::Recipients recipients;
    routing::AddressMaps address_maps;
    restrictions::Rules restriction_lists;
    maps::NetworkList trusted_networks;             // mynetworks
    maps::NetworkList bare_newline_exceptions;      // smtpd_forbid_bare_newline_exclusions
    maps::NetworkList limit_exceptions;             // smtpd_client_event_limit_exceptions
    std::optional<tls::ServerContext> tls;          // empty: no certificate, or smtpd_tls_security_level = none
    TlsLevel tls_level = TlsLevel::none;
    std::unique_ptr<sasl::AuthClient> auth;         // null: smtpd_sasl_auth_enable = no
    spool::Maker maker;
    dns::Resolver resolver;
    smtp::BareNewline bare_newline = smtp::BareNewline::normalize;
    std::set<std::string> hidden_keywords;          // smtpd_discard_ehlo_keywords, lower case
    std::string banner;

    // Connections of one client address in this process; smtpd_client_connection_count_limit.
    bool connected(const std::string& address);
    void disconnected(const std::string& address);

private:
    std::unordered_map<std::string, int64_t> connections_;
};

} // namespace smtpd
