#include "net/address.h"

#include "base/error.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>

#include <cstring>

namespace net {

Address::Address(const sockaddr* address, socklen_t size) : size_(std::min<socklen_t>(size, sizeof storage_))
{
    std::memcpy(&storage_, address, size_);
    // An IPv4 client of a dual-stack socket is an IPv4 client.
    auto* six = reinterpret_cast<sockaddr_in6*>(&storage_);
    if (family() != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&six->sin6_addr)) return;
    sockaddr_in four{};
    four.sin_family = AF_INET;
    four.sin_port = six->sin6_port;
    std::memcpy(&four.sin_addr, six->sin6_addr.s6_addr + 12, 4);
    storage_ = {};
    std::memcpy(&storage_, &four, sizeof four);
    size_ = sizeof four;
}

std::optional<Address> Address::parse_ip(std::string_view text, uint16_t port)
{
    if (text.size() > 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    std::string ip(text);
    if (ip.find('\0') != std::string::npos) return std::nullopt;    // inet_pton() would stop there
    sockaddr_in four{};
    if (::inet_pton(AF_INET, ip.c_str(), &four.sin_addr) == 1) {
        four.sin_family = AF_INET;
        four.sin_port = htons(port);
        return Address(reinterpret_cast<sockaddr*>(&four), sizeof four);
    }
    sockaddr_in6 six{};
    if (::inet_pton(AF_INET6, ip.c_str(), &six.sin6_addr) == 1) {
        six.sin6_family = AF_INET6;
        six.sin6_port = htons(port);
        return Address(reinterpret_cast<sockaddr*>(&six), sizeof six);
    }
    return std::nullopt;
}

Address Address::unix_path(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw base::SystemError("socket " + path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    return Address(reinterpret_cast<sockaddr*>(&address), sizeof address);
}

uint16_t Address::port() const
{
    if (family() == AF_INET) return ntohs(reinterpret_cast<const sockaddr_in*>(&storage_)->sin_port);
    if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_port);
    return 0;
}

void Address::set_port(uint16_t port)
{
    if (family() == AF_INET) reinterpret_cast<sockaddr_in*>(&storage_)->sin_port = htons(port);
    if (family() == AF_INET6) reinterpret_cast<sockaddr_in6*>(&storage_)->sin6_port = htons(port);
}

std::string Address::bytes() const
{
    if (family() == AF_INET)
        return std::string(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr), 4);
    if (family() == AF_INET6)
        return std::string(reinterpret_cast<const char*>(&reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr), 16);
    return {};
}

std::string Address::ip() const
{
    char text[INET6_ADDRSTRLEN] = "";
    if (family() == AF_INET) ::inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage_)->sin_addr, text, sizeof text);
    if (family() == AF_INET6) ::inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr, text, sizeof text);
    return *text ? text : "local";
}

std::string Address::literal() const { return is_ipv6() ? "[IPv6:" + ip() + "]" : "[" + ip() + "]"; }

std::string Address::text() const
{
    return is_unix() ? std::string(reinterpret_cast<const sockaddr_un*>(&storage_)->sun_path) : fmt::format("[{}]:{}", ip(), port());
}

bool Address::is_loopback() const
{
    std::string b = bytes();
    if (b.size() == 4) return b[0] == 127;
    return b.size() == 16 && IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(&storage_)->sin6_addr);
}

std::vector<Address> interface_addresses()
{
    std::vector<Address> found;
    ifaddrs* first = nullptr;
    if (::getifaddrs(&first) != 0) return found;
    for (auto* each = first; each; each = each->ifa_next) {
        if (!each->ifa_addr) continue;
        if (each->ifa_addr->sa_family == AF_INET) found.emplace_back(each->ifa_addr, sizeof(sockaddr_in));
        if (each->ifa_addr->sa_family == AF_INET6) found.emplace_back(each->ifa_addr, sizeof(sockaddr_in6));
    }
    ::freeifaddrs(first);
    return found;
}

} // namespace net
