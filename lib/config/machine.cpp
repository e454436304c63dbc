#include "config/machine.h"

#include "base/text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace config::machine {

std::string hostname()
{
    char name[256] = "";
    if (::gethostname(name, sizeof name - 1) != 0) return "localhost";
    std::string_view text(name);
    bool good = !text.empty() && text.front() != '.' && text.back() != '.' &&
                std::all_of(text.begin(), text.end(),
                            [](char c) { return base::is_alnum(c) || c == '-' || c == '.' || c == '_'; });
    return good ? std::string(text) : "localhost";
}

namespace {

// An address with all bits behind the first `length` cleared, as mynetworks writes it.
std::string network4(uint32_t address, int length)
{
    in_addr masked{htonl(length == 0 ? 0 : address & ~0u << (32 - length))};
    char text[INET_ADDRSTRLEN];
    ::inet_ntop(AF_INET, &masked, text, sizeof text);
    return fmt::format("{}/{}", text, length);
}

std::string network6(in6_addr address, int length)
{
    for (int bit = length; bit < 128; ++bit) address.s6_addr[bit / 8] &= static_cast<uint8_t>(~(0x80 >> bit % 8));
    char text[INET6_ADDRSTRLEN];
    ::inet_ntop(AF_INET6, &address, text, sizeof text);
    return fmt::format("[{}]/{}", text, length);
}

int class_length(uint32_t address) { return address < 0x80000000u ? 8 : address < 0xc0000000u ? 16 : 24; }

std::string describe(const ifaddrs& one, std::string_view style)
{
    if (one.ifa_addr->sa_family == AF_INET) {
        const auto* address = reinterpret_cast<const sockaddr_in*>(one.ifa_addr);
        const auto* mask = reinterpret_cast<const sockaddr_in*>(one.ifa_netmask);
        uint32_t bits = ntohl(address->sin_addr.s_addr);
        int length = 32;
        if (style == "class")
            length = class_length(bits);
        else if ((style == "subnet" || bits >> 24 == 127) && mask)
            length = std::popcount(mask->sin_addr.s_addr);
        return network4(bits, length);
    }
    const auto* address = reinterpret_cast<const sockaddr_in6*>(one.ifa_addr);
    const auto* mask = reinterpret_cast<const sockaddr_in6*>(one.ifa_netmask);
    int length = 128;
    if (style != "host" && mask) {
        length = 0;
        for (uint8_t byte : mask->sin6_addr.s6_addr) length += std::popcount(byte);
    }
    return network6(address->sin6_addr, length);
}

bool wanted(const ifaddrs& one, bool loopback_only, std::string_view protocols)
{
    if (!one.ifa_addr || !(one.ifa_flags & IFF_UP)) return false;
    if (loopback_only && !(one.ifa_flags & IFF_LOOPBACK)) return false;
    int family = one.ifa_addr->sa_family;
    bool all = protocols.find("all") != protocols.npos;
    if (family == AF_INET) return all || protocols.find("ipv4") != protocols.npos;
    if (family != AF_INET6) return false;
    // A link-local network is everybody on the cable; who wants them as clients says so.
    if (IN6_IS_ADDR_LINKLOCAL(&reinterpret_cast<const sockaddr_in6*>(one.ifa_addr)->sin6_addr)) return false;
    return all || protocols.find("ipv6") != protocols.npos;
}

} // namespace

std::string networks(std::string_view style, const std::vector<std::string>& interfaces, std::string_view protocols)
{
    std::vector<std::string> found{"127.0.0.0/8"};
    if (protocols == "ipv6") found.clear();
    if (protocols != "ipv4") found.push_back("[::1]/128");
    bool loopback_only = !interfaces.empty() && interfaces.front() == "loopback-only";
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return base::join(found, " ");
    for (const ifaddrs* one = list; one; one = one->ifa_next) {
        if (!wanted(*one, loopback_only, protocols)) continue;
        auto text = describe(*one, style);
        if (std::find(found.begin(), found.end(), text) == found.end()) found.push_back(text);
    }
    ::freeifaddrs(list);
    return base::join(found, " ");
}

} // namespace config::machine
