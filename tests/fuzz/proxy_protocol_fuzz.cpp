// proxy_protocol_fuzz: any bytes before a connection.
#include "net/proxy_protocol.h"

#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    try {
        const net::ProxyHeader header = net::parse_proxy_header(text);
        if (!header.local && (header.client.is_unix() || header.client.ip().empty())) std::abort();
    } catch (const net::BadProxyHeader&) {
    }
    return 0;
}
