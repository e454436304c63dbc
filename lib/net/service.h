// service: where another program listens, as parameters name it: "inet:host:port", "unix:path", or a path alone.
#pragma once

#include "net/stream.h"

#include <string>

namespace net {

// Connects; names are looked up on a thread, and a host's addresses tried one after the other. Throws Gone.
async::Task<Stream> connect_to_service(std::string where, Limit limit);

} // namespace net
