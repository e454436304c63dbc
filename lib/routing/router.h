// router: by which transport, and to which next hop, mail for an address leaves: Postfix's trivial-rewrite as one class. Addresses are
// in internal form (no quotes, the domain behind the last '@'). Every look-up may throw maps::Unavailable: defer, or answer 4xx.
#pragma once

#include "maps/map.h"
#include "routing/domains.h"
#include "routing/own_addresses.h"
#include "routing/rewrite.h"

#include <optional>
#include <string>
#include <string_view>

namespace routing {

struct Route {
    std::string transport;          // a service of master.cf: "local", "smtp", "error" …
    std::string nexthop;            // for error, retry and discard: the text
    std::string recipient;          // may differ from what was asked: local routing is taken off, the empty address has a name
    AddressClass address_class = AddressClass::default_;
    bool routed = false;            // the local part still routes (user%other@domain): no relay permission for it
    bool bad_domain = false;        // no host name and no address literal
};

class Router {
public:
    // config must outlive it.
    explicit Router(const config::Config& config);
    Router(const config::Config& config, std::vector<maps::Address> own_addresses);

    Route route(std::string_view recipient, std::string_view sender);
    AddressClass classify(std::string_view domain) { return domains_.classify(domain); }
    std::string rewrite(std::string_view address) const { return rewrite_address(address, rules_); }
    Domains& domains() { return domains_; }

private:
    struct Target {
        std::string local, domain;
        bool is_local = false;
    };
    Target strip_local_routing(std::string_view recipient);
    void choose_by_class(Route& route, const std::string& domain, std::string_view sender);
    std::string default_transport(std::string_view sender);
    std::string off_host_nexthop(const std::string& domain, std::string_view sender);
    std::optional<std::string> by_sender(maps::Maps& tables, std::string_view sender, const std::string& null_key);
    void consult_transport_maps(Route& route, const std::string& domain);
    void consult_relocated_maps(Route& route);

    const config::Config& config_;
    RewriteRules rules_;
    Domains domains_;
    bool transport_parents_;
    maps::Maps transport_maps_, relocated_maps_, sender_relayhost_maps_, sender_transport_maps_;
};


} // namespace routing
