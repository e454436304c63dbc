// own_addresses: the IP addresses at which this machine receives mail, so that user@[192.0.2.1] is known as local.
#pragma once

#include "maps/network.h"

#include <vector>

namespace config {
class Config;
}

namespace routing {

// inet_interfaces and proxy_interfaces. Host names among them are left out: their addresses are the listener's business.
std::vector<maps::Address> own_addresses(const config::Config& config);

} // namespace routing
