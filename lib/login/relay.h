// relay: copies bytes both ways between a client under TLS and its session, which is another process. An idle relay holds no buffer;
// a slow side stops the reading from the other.
#pragma once

#include "net/stream.h"

#include <string>

namespace login {

class Relay final : private async::Waiter, private async::Runnable {
public:
    // Both outlive it, have nothing buffered and nothing unsent.
    Relay(net::Stream& client, net::Stream& session);
    Relay(const Relay&) = delete;
    Relay& operator=(const Relay&) = delete;
    ~Relay();

    // The session has ended and its last words are sent, or the client is gone. A client that only stops sending is not: the session
    // is told, and may answer on.
    async::Source& finished() { return finished_; }

private:
    struct Direction {
        net::Stream& from;
        net::Stream& to;
        std::string left;               // read, and not yet taken by the other side
        bool at_end = false;
        bool end_passed_on = false;
        bool read_wants_write = false;
        bool write_wants_read = false;
    };
    void woken() override { async::loop().queue(*this); }
    void run() override;
    bool copy(Direction& direction);    // false: no more is to be had or taken now
    bool put(Direction& direction, std::string_view& bytes);
    void pass_on_end(Direction& direction);

    Direction up_, down_;               // from the client; to the client
    bool broken_ = false;
    async::Flag finished_;
};

async::Task<> relay(net::Stream& client, net::Stream& session);

} // namespace login
