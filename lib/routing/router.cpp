// router: by which transport, and to which next hop, mail for an address leaves.
#include "routing/router.h"
#include "routing/address_search.h"

#include "base/log.h"
#include "base/text.h"
#include "config/config.h"
#include "mail/address.h"

#include <fmt/format.h>

namespace routing {

namespace {

// transport[:[nexthop]] as in transport(5) and in main.cf.
struct TransportEntry {
    std::string transport, nexthop;
};

TransportEntry parse_entry(std::string_view text)
{
    auto cut = base::cut(text, ':');
    return {std::string(base::trim(cut.before)), std::string(base::trim(cut.after))};
}

bool wants_text(const std::string& transport) { return transport == "error" || transport == "retry"; }

} // namespace

Router::Router(const config::Config& config) : Router(config, own_addresses(config)) {}

Router::Router(const config::Config& config, std::vector<maps::Address> own_addresses)
    : config_(config), rules_(RewriteRules::local(config)), domains_(config, std::move(own_addresses)),
      transport_parents_(parents_match(config, "transport_maps")), transport_maps_(config.transport_maps), relocated_maps_(config.relocated_maps),
      sender_relayhost_maps_(config.sender_dependent_relayhost_maps), sender_transport_maps_(config.sender_dependent_default_transport_maps)
{
}

Router::Target Router::strip_local_routing(std::string_view recipient)
{
    std::string rest(recipient);
    std::string last_domain = config_.myhostname;
    // Each round takes off a domain or an operator; the bound is for addresses that nobody has thought of.
    for (size_t round = 0, most = recipient.size() + 100; round < most; ++round) {
        if (rest.ends_with('.') && !rest.ends_with("..") && rest.find('@') != rest.npos) rest.pop_back();
        if (rest.ends_with('@')) rest.pop_back();
        auto cut = base::cut_last(rest, '@');
        if (cut.found) {
            if (!domains_.is_local(cut.after)) return {std::string(cut.before), std::string(cut.after), false};
            last_domain = cut.after;
            rest = std::string(cut.before);
        }
        bool operators = rest.find('@') != rest.npos || (config_.swap_bangpath && rest.find('!') != rest.npos) ||
                         (config_.allow_percent_hack && rest.find('%') != rest.npos);
        // user@other@here, other!user@here and user%other@here are for other, even in quotes: else we would be a relay for those who
        // let us be their next hop.
        bool names_only = !config_.resolve_dequoted_address && !mail::is_dot_atom(rest);
        if (!operators || names_only) break;
        if (rest.find('@') == rest.npos) rest = rewrite_address(rest, rules_);
    }
    if (rest.empty()) rest = config_.empty_address_recipient;
    return {rest, last_domain, true};
}

std::optional<std::string> Router::by_sender(maps::Maps& tables, std::string_view sender, const std::string& null_key)
{
    if (tables.empty()) return std::nullopt;
    maps::AddressSearch search = address_search(config_, domains_);
    search.forms = maps::form::full | maps::form::no_extension | maps::form::at_domain;
    std::optional<std::string> found;
    if (sender.empty()) found = tables.find(null_key);
    else if (auto hit = maps::find_address(tables, sender, search)) found = hit->value;
    if (found && base::same_word(*found, "DUNNO")) return std::nullopt;
    return found;
}

std::string Router::default_transport(std::string_view sender)
{
    auto found = by_sender(sender_transport_maps_, sender, config_.empty_address_default_transport_maps_lookup_key);
    if (!found) return config_.default_transport;
    TransportEntry entry = parse_entry(*found);
    if (!entry.transport.empty()) return *found;
    return parse_entry(config_.default_transport).transport + ":" + entry.nexthop;
}

std::string Router::off_host_nexthop(const std::string& domain, std::string_view sender)
{
    if (auto found = by_sender(sender_relayhost_maps_, sender, config_.empty_address_relayhost_maps_lookup_key)) return *found;
    return config_.relayhost.empty() ? domain : config_.relayhost;
}

void Router::choose_by_class(Route& route, const std::string& domain, std::string_view sender)
{
    std::string setting;
    route.nexthop = domain;
    switch (route.address_class) {
    case AddressClass::local: setting = config_.local_transport; break;
    case AddressClass::virtual_alias:
        // Its aliases were expanded when the mail came in; what is left has none.
        route.transport = "error";
        route.nexthop = config_.show_user_unknown_table_name ? "5.1.1 User unknown in virtual alias table" : "5.1.1 User unknown";
        return;
    case AddressClass::virtual_mailbox: setting = config_.virtual_transport; break;
    case AddressClass::relay:
        setting = config_.relay_transport;
        route.nexthop = off_host_nexthop(domain, sender);
        break;
    case AddressClass::default_:
        setting = default_transport(sender);
        route.nexthop = off_host_nexthop(domain, sender);
        break;
    }
    TransportEntry entry = parse_entry(setting);
    if (entry.transport.empty()) throw maps::Unavailable(fmt::format("null transport is not allowed: \"{}\"", setting));
    route.transport = entry.transport;
    if (!entry.nexthop.empty()) route.nexthop = entry.nexthop;
}

void Router::consult_transport_maps(Route& route, const std::string& domain)
{
    if (transport_maps_.empty() || route.address_class == AddressClass::virtual_alias) return;
    maps::AddressSearch search = address_search(config_, domains_);
    search.forms = maps::form::full | maps::form::no_extension | maps::form::domain;
    search.parents = transport_parents_ ? maps::Parents::plain : maps::Parents::dotted;
    auto hit = maps::find_address(transport_maps_, route.recipient, search);
    auto found = hit ? std::optional(hit->value) : transport_maps_.find("*");
    if (!found) return;
    TransportEntry entry = parse_entry(*found);
    // ":nexthop" changes the next hop only, ":" nothing; "transport:" forgets what main.cf says of the next hop.
    if (!entry.transport.empty()) {
        route.transport = entry.transport;
        route.nexthop = wants_text(entry.transport) ? "Address is undeliverable" : domain;
    }
    if (!entry.nexthop.empty()) route.nexthop = entry.nexthop;
}

void Router::consult_relocated_maps(Route& route)
{
    if (relocated_maps_.empty()) return;
    auto hit = maps::find_address(relocated_maps_, route.recipient, address_search(config_, domains_));
    if (!hit) return;
    route.transport = "error";
    route.nexthop = "5.1.6 User has moved to " + hit->value;
}

Route Router::route(std::string_view recipient, std::string_view sender)
{
    Target target = strip_local_routing(recipient);
    Route route;
    route.recipient = target.local + "@" + target.domain;
    route.bad_domain = !mail::valid_domain(target.domain, true) && !mail::valid_address_literal(target.domain);
    route.routed = target.local.find_first_of("@!%") != std::string::npos;
    route.address_class = target.is_local ? AddressClass::local : domains_.classify(target.domain);
    std::string domain = base::lower(target.domain);
    choose_by_class(route, domain, sender);
    consult_transport_maps(route, domain);
    consult_relocated_maps(route);
    return route;
}

} // namespace routing
