// auth_socket: where auth listens.
#pragma once

#include "net/stream.h"

#include <string>

namespace sasl {

// Connects to "private/auth", "unix:private/auth" or "inet:host:port". Throws net::Gone.
async::Task<net::Stream> connect_to_auth(std::string where, net::Limit limit);

} // namespace sasl
