// network: IP addresses and networks as patterns.
#include "maps/network.h"

#include "base/text.h"

#include <arpa/inet.h>

#include <cstring>

#include <fmt/format.h>

namespace maps {

namespace {

std::string written(const Address& address)
{
    char text[INET6_ADDRSTRLEN] = "";
    ::inet_ntop(address.bits == 32 ? AF_INET : AF_INET6, address.bytes.data(), text, sizeof text);
    return text;
}

Address masked(Address address, unsigned length)
{
    for (unsigned i = 0; i < address.bits / 8; ++i) {
        unsigned kept = length >= (i + 1) * 8 ? 8 : length <= i * 8 ? 0 : length - i * 8;
        address.bytes[i] &= static_cast<uint8_t>(0xff00u >> kept);
    }
    return address;
}

} // namespace

std::optional<Address> Address::parse(std::string_view text)
{
    constexpr std::string_view tag = "IPv6:";
    if (text.size() >= 2 && text.front() == '[' && text.back() == ']') text = text.substr(1, text.size() - 2);
    if (base::starts_with_word(text, tag)) text.remove_prefix(tag.size());
    if (text.empty() || text.size() >= INET6_ADDRSTRLEN || text.find('\0') != text.npos) return std::nullopt;
    std::string copy(text);
    Address address;
    if (::inet_pton(AF_INET, copy.c_str(), address.bytes.data()) == 1) address.bits = 32;
    else if (::inet_pton(AF_INET6, copy.c_str(), address.bytes.data()) == 1) address.bits = 128;
    else return std::nullopt;
    return address;
}

std::optional<Address> Address::unmapped() const
{
    constexpr uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (bits != 128 || std::memcmp(bytes.data(), prefix, sizeof prefix) != 0) return std::nullopt;
    Address inner;
    inner.bits = 32;
    std::memcpy(inner.bytes.data(), bytes.data() + 12, 4);
    return inner;
}

Network::Parsed Network::parse(std::string_view text)
{
    auto slash = base::cut_last(text, '/');
    std::string_view host = slash.found ? slash.before : text;
    auto address = Address::parse(host);
    if (!address) return {std::nullopt, fmt::format("bad address pattern: \"{}\"", base::printable(text, 100))};
    Network network;
    network.base_ = *address;
    network.length_ = address->bits;
    if (slash.found) {
        auto length = base::number<unsigned>(slash.after);
        if (!length || *length > address->bits) return {std::nullopt, fmt::format("bad mask length in \"{}\"", base::printable(text, 100))};
        network.length_ = *length;
    }
    if (Address start = masked(*address, network.length_); start != *address)
        return {std::nullopt, fmt::format("non-null host address bits in \"{}\", perhaps you should use \"{}/{}\" instead",
                                          base::printable(text, 100), written(start), network.length_)};
    return {network, {}};
}

bool Network::contains(const Address& address) const { return address.bits == base_.bits && masked(address, length_) == base_; }

} // namespace maps
