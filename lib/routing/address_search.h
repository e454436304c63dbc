// address_search: how this configuration looks addresses up: its extension delimiters and its local domains.
#pragma once

#include "maps/address_search.h"

namespace config {
class Config;
}

namespace routing {

class Domains;

// domains must outlive the result.
maps::AddressSearch address_search(const config::Config& config, Domains& domains);

} // namespace routing
