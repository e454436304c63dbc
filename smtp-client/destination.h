// destination: the grammar of a next hop: "example.org", "[mx.example.org]:587", "[192.0.2.1]", "inet:host:port",
// "unix:/path".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace smtp_client {

struct Destination {
    enum Kind : uint8_t {
        domain, // ask for MX first
        host,   // this very host, by name or address
        unix_socket,
    };
    Kind kind = domain;
    std::string name; // domain or host, without brackets; the path for a Unix socket
    uint16_t port = 0;
    bool operator==(const Destination&) const = default;
};

// Without mx_lookup a bare name is a host. Nothing when it is no destination.
std::optional<Destination> parse_destination(std::string_view text, uint16_t default_port, bool mx_lookup);

} // namespace smtp_client
