// address_search: how this configuration looks addresses up.
#include "routing/address_search.h"
#include "routing/domains.h"

#include "config/config.h"

namespace routing {

maps::AddressSearch address_search(const config::Config& config, Domains& domains)
{
    maps::AddressSearch search;
    search.extension = {config.recipient_delimiter, config.owner_request_special};
    search.is_local = [&domains](std::string_view domain) { return domains.is_local_or_origin(domain); };
    return search;
}

} // namespace routing
