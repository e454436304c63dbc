// text_peer: a connection to a server of a small text protocol (tcp, socketmap, memcache), on the caller's thread. Each request has a limit of
// time, for all of its waits together.
#pragma once

#include "maps/driver.h"

#include "base/clock.h"
#include "base/fd.h"

#include <string>
#include <string_view>

namespace maps {

struct Endpoint {
    std::string path;               // of a Unix socket; or
    std::string host, port;
    bool is_unix() const { return !path.empty(); }
    // "unix:/path", "inet:host:port" or "host:port"; an IPv6 address in brackets. Throws std::runtime_error.
    static Endpoint parse(std::string_view text);
};

// Errors are driver::ServerLost.
class TextPeer {
public:
    // Connects; limit also counts for later requests.
    TextPeer(const Endpoint& endpoint, base::Duration limit);

    // Begins a request: sends, and starts the clock. What a server said unasked is a fault.
    void send(std::string_view request);
    std::string line(size_t most);          // without its CRLF or LF
    std::string bytes(size_t count);

private:
    void connect_unix(const std::string& path);
    void connect_inet(const Endpoint& endpoint);
    bool connect_to(int family, const void* address, unsigned length, int& error);
    void wait(short events);
    void receive();

    base::Duration limit_;
    base::Steady deadline_{};
    base::Fd fd_;
    std::string received_;
};

} // namespace maps
