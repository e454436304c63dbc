// deflate: a connection whose bytes are compressed both ways (RFC 4978: RFC 1951 without a header).
#pragma once

#include "net/stream.h"

#include <memory>

namespace imapd {

// below: what carried the bytes until now, and goes on to.
std::unique_ptr<net::Transport> make_deflate_transport(std::unique_ptr<net::Transport> below, std::string_view received);

} // namespace imapd
