// domains: to which of the five address classes a domain belongs.
#include "routing/domains.h"

#include "base/text.h"
#include "config/config.h"

#include <algorithm>

namespace routing {

bool parents_match(const config::Config& config, std::string_view list)
{
    const auto& names = config.parent_domain_matches_subdomains;
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return base::same_word(name, list); });
}

Domains::Domains(const config::Config& config, std::vector<maps::Address> own_addresses)
    : origin_(config.myorigin), numeric_domains_(config.resolve_numeric_domain), own_addresses_(std::move(own_addresses)),
      local_(config.mydestination, maps::Matching::strings), virtual_alias_(config.virtual_alias_domains, maps::Matching::strings),
      virtual_mailbox_(config.virtual_mailbox_domains, maps::Matching::strings),
      relay_(config.relay_domains, maps::Matching::domains, {parents_match(config, "relay_domains"), {}})
{
}

bool Domains::is_own_address(std::string_view literal) const
{
    bool bracketed = literal.starts_with('[');
    if (!bracketed && !numeric_domains_) return false;
    auto address = maps::Address::parse(literal);
    return address && std::find(own_addresses_.begin(), own_addresses_.end(), *address) != own_addresses_.end();
}

bool Domains::is_local(std::string_view domain)
{
    if (domain.size() > 1 && domain.ends_with('.')) domain.remove_suffix(1);
    return domain.empty() || local_.matches(domain) || is_own_address(domain);
}

bool Domains::is_local_or_origin(std::string_view domain) { return base::same_word(domain, origin_) || is_local(domain); }

AddressClass Domains::classify(std::string_view domain)
{
    if (domain.size() > 1 && domain.ends_with('.')) domain.remove_suffix(1);
    if (is_local(domain)) return AddressClass::local;
    if (virtual_alias_.matches(domain)) return AddressClass::virtual_alias;
    if (virtual_mailbox_.matches(domain)) return AddressClass::virtual_mailbox;
    if (relay_.matches(domain)) return AddressClass::relay;
    return AddressClass::default_;
}

} // namespace routing
