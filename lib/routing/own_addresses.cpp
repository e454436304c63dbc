// own_addresses: the IP addresses at which this machine receives mail.
#include "routing/own_addresses.h"

#include "base/text.h"
#include "config/config.h"
#include "maps/matchlist.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>

#include <cstring>
#include <memory>

namespace routing {

namespace {

void add_interfaces(bool only_loopback, std::vector<maps::Address>& into)
{
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return;
    std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owner(list, ::freeifaddrs);
    for (const ifaddrs* each = list; each; each = each->ifa_next) {
        if (!each->ifa_addr || !(each->ifa_flags & IFF_UP) || (only_loopback && !(each->ifa_flags & IFF_LOOPBACK))) continue;
        maps::Address address;
        if (each->ifa_addr->sa_family == AF_INET) {
            address.bits = 32;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in*>(each->ifa_addr)->sin_addr, 4);
        } else if (each->ifa_addr->sa_family == AF_INET6) {
            address.bits = 128;
            std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(each->ifa_addr)->sin6_addr, 16);
        } else {
            continue;
        }
        into.push_back(address);
    }
}

} // namespace

std::vector<maps::Address> own_addresses(const config::Config& config)
{
    std::vector<maps::Address> own;
    std::vector<std::string> names = config.inet_interfaces;
    for (std::string& name : maps::split_list(config.find("proxy_interfaces").value_or(""))) names.push_back(std::move(name));
    for (const std::string& name : names) {
        if (base::same_word(name, "all") || base::same_word(name, "loopback-only")) add_interfaces(!base::same_word(name, "all"), own);
        else if (auto address = maps::Address::parse(name)) own.push_back(*address);
    }
    return own;
}

} // namespace routing
