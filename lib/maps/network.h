// network: IP addresses and networks as patterns in tables and lists: 10.0.0.0/8, 2001:db8::/32, [::1]/128. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace maps {

struct Address {
    std::array<uint8_t, 16> bytes{};
    unsigned bits = 0;              // 32 or 128

    // "192.0.2.1", "2001:db8::1", "[2001:db8::1]", "IPv6:2001:db8::1"; nothing for anything else, host names included.
    static std::optional<Address> parse(std::string_view text);
    // 192.0.2.1 for ::ffff:192.0.2.1; nothing for other addresses.
    std::optional<Address> unmapped() const;
    bool operator==(const Address&) const = default;
};

class Network {
public:
    struct Parsed;
    // "address" or "address/length"; bits behind the length must be zero.
    static Parsed parse(std::string_view text);
    bool contains(const Address& address) const;

private:
    Address base_;
    unsigned length_ = 0;
};

struct Network::Parsed {
    std::optional<Network> network;
    std::string error;              // why there is none
};

} // namespace maps
