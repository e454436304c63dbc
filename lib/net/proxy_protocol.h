// proxy_protocol: the line or block that HAProxy and its kin put before a connection: who the client is (PROXY protocol, versions 1 and 2).
#pragma once

#include "net/stream.h"

#include <optional>
#include <stdexcept>
#include <string_view>

namespace net {

// The header is none, or not one that we take.
class BadProxyHeader : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

struct ProxyHeader {
    bool local = false;         // the proxy's own connection (health checks, UNKNOWN): no addresses
    Address client, server;
};

constexpr size_t proxy_header_start = 15;   // bytes that every header has at least; the whole of v1's shortest

// How many bytes the header has in all, once its first proxy_header_start or more are here; 0: go on until '\n', at most 107 bytes (version 1).
// Throws BadProxyHeader. For version 2 it needs 16 bytes, and asks for them.
size_t proxy_header_size(std::string_view start);
// The whole header, version 1 with its CRLF. Throws BadProxyHeader.
ProxyHeader parse_proxy_header(std::string_view header);
// Reads it off a new connection, and not one byte more: TLS may follow. REQUIRES: nothing was read. Throws BadProxyHeader, Gone.
async::Task<ProxyHeader> read_proxy_header(Stream& stream, Limit limit);

} // namespace net
