// rewrite: incomplete and old-fashioned addresses made whole.
#include "routing/rewrite.h"

#include "base/text.h"
#include "config/config.h"
#include "mail/address.h"

namespace routing {

namespace {

// RFC 821's "@relay,@relay:user@domain" has meant nothing for decades.
std::string_view without_route(std::string_view address)
{
    size_t colon = address.find(':');
    if (address.starts_with('@') && colon != address.npos && colon + 1 < address.size()) address.remove_prefix(colon + 1);
    return address;
}

std::string complete(std::string_view local, const RewriteRules& rules)
{
    size_t bang = local.find('!'), percent = local.rfind('%');
    if (rules.swap_bangpath && bang != local.npos) return std::string(local.substr(bang + 1)) + "@" + std::string(local.substr(0, bang));
    if (rules.percent_hack && percent != local.npos) return std::string(local.substr(0, percent)) + "@" + std::string(local.substr(percent + 1));
    if (rules.append_origin && !rules.origin.empty()) return std::string(local) + "@" + rules.origin;
    return std::string(local);
}

} // namespace

RewriteRules RewriteRules::local(const config::Config& config)
{
    return {config.myorigin,      config.mydomain,           config.append_at_myorigin, config.append_dot_mydomain,
            config.swap_bangpath, config.allow_percent_hack};
}

RewriteRules RewriteRules::remote(const config::Config& config)
{
    RewriteRules rules = local(config);
    rules.origin = rules.domain = config.find("remote_header_rewrite_domain").value_or("");
    return rules;
}

std::string rewrite_address(std::string_view address, const RewriteRules& rules)
{
    if (address.empty() || address == "@") return {};
    bool quoted = address.starts_with('"');
    std::string whole = quoted ? mail::to_internal(address) : std::string(without_route(address));
    // What somebody quoted is a name, whatever bytes it has.
    if (auto parts = quoted ? mail::split_external(address) : mail::split_address(whole); !parts.has_domain) {
        if (!quoted) whole = complete(whole, rules);
        else if (rules.append_origin && !rules.origin.empty()) whole += "@" + rules.origin;
    }
    size_t at = whole.rfind('@');
    if (at == whole.npos || at + 1 == whole.size()) return whole;
    std::string_view domain = std::string_view(whole).substr(at + 1);
    if (rules.append_domain && !rules.domain.empty() && domain.find_first_of(".[") == domain.npos) whole += "." + rules.domain;
    if (whole.ends_with('.') && !whole.ends_with("..") && !whole.ends_with("@.")) whole.pop_back();
    return whole;
}

} // namespace routing
