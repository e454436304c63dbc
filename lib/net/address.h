// address: where a socket stands: IPv4, IPv6 or a Unix path.
#pragma once

#include <sys/socket.h>
#include <sys/un.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace net {

class Address {
public:
    Address() = default;
    Address(const sockaddr* address, socklen_t size);
    static std::optional<Address> parse_ip(std::string_view text, uint16_t port);   // "192.0.2.1", "::1", "[::1]"
    static Address unix_path(const std::string& path);                              // throws when the path is too long

    const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage_); }
    socklen_t size() const { return size_; }
    int family() const { return storage_.ss_family; }
    bool is_unix() const { return family() == AF_UNIX; }
    bool is_ipv6() const { return family() == AF_INET6; }
    uint16_t port() const;
    void set_port(uint16_t port);
    // "192.0.2.1", "2001:db8::1" (an IPv4-mapped address as IPv4), "local" for a Unix socket.
    std::string ip() const;
    // RFC 5321 4.1.3: "[192.0.2.1]", "[IPv6:2001:db8::1]".
    std::string literal() const;
    std::string text() const;   // with port, for messages: "[::1]:25"
    bool is_loopback() const;
    // Network-order bytes, 4 or 16 (a mapped IPv4 address as 4); empty for Unix.
    std::string bytes() const;

private:
    sockaddr_storage storage_{};
    socklen_t size_ = 0;
};

// The addresses of this machine's interfaces.
std::vector<Address> interface_addresses();

} // namespace net
