#include "tables.h"

#include "base/log.h"
#include "routing/address_maps.h"
#include "routing/address_search.h"
#include "routing/own_addresses.h"

#include <algorithm>

namespace smtp_client {

Tables::Tables(const config::Config& config, bool lmtp)
{
    auto named = [&](const char* name) {
        return maps::Maps(maps::split_list(config.find((lmtp ? "lmtp_" : "smtp_") + std::string(name)).value_or("")));
    };
    auto mechanism_list = config.find(lmtp ? "lmtp_sasl_mechanism_filter" : "smtp_sasl_mechanism_filter").value_or("");
    mechanisms = maps::MatchList(mechanism_list, maps::Matching::strings);
    tls_policy = named("tls_policy_maps");
    discard_keywords = named(lmtp ? "discard_lhlo_keyword_address_maps" : "discard_ehlo_keyword_address_maps");
    pix_workarounds = named("pix_workaround_maps");
    reply_filter = named("reply_filter");
    status_filter = named("delivery_status_filter");
    header_checks = named("header_checks");
    mime_header_checks = named("mime_header_checks");
    nested_header_checks = named("nested_header_checks");
    body_checks = named("body_checks");
    passwords_ = named("sasl_password_maps");
    generic_ = named("generic_maps");
    if (passwords_.empty() && generic_.empty()) return;
    domains_ = std::make_unique<routing::Domains>(config, routing::own_addresses(config));
    search_ = routing::address_search(config, *domains_);
    rules_ = routing::RewriteRules::local(config);
    const auto& propagate = config.propagate_unmatched_extensions;
    keep_extension_ = std::find(propagate.begin(), propagate.end(), "generic") != propagate.end();
}

void Tables::read_passwords()
{
    passwords_were_read_ = true;
    for (const auto& each : passwords_.tables()) {
        try {
            each->find("");
        } catch (const maps::Unavailable& trouble) {
            base::log::warning("{}", trouble.what());
            passwords_were_read_ = false;
        }
    }
}

std::string Tables::lost_passwords()
{
    if (!passwords_were_read_) return {};
    for (const auto& each : passwords_.tables()) {
        try {
            each->find("");
        } catch (const maps::Unavailable&) {
            return each->name();
        }
    }
    return {};
}

std::optional<std::string> Tables::login(std::string_view sender, std::string_view host, std::string_view destination)
{
    if (passwords_.empty()) return std::nullopt;
    if (!sender.empty())
        if (auto hit = maps::find_address(passwords_, sender, search_)) return hit->value;
    auto found = passwords_.find(host);
    return found ? found : passwords_.find(destination);
}

std::string Tables::outside(std::string_view address)
{
    if (generic_.empty() || address.empty()) return std::string(address);
    auto mapped = routing::map_address(generic_, address, search_, rules_, keep_extension_);
    if (!mapped || mapped->empty()) return std::string(address);
    if (mapped->size() > 1) base::log::warning("multi-valued smtp_generic_maps result for {}", address);
    return mapped->front();
}

} // namespace smtp_client
