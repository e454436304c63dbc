// peer: the other end of a connection in a test: says things, and hears what comes, while the loop runs.
#pragma once

#include "async/loop.h"
#include "base/clock.h"
#include "base/fd.h"

#include <sys/socket.h>
#include <unistd.h>

#include <functional>
#include <stdexcept>
#include <string>
#include <string_view>

inline void run_until(const std::function<bool()>& done)
{
    auto give_up = base::steady_now() + std::chrono::seconds(20);
    while (!done()) {
        if (base::steady_now() > give_up) throw std::runtime_error("waited in vain");
        async::loop().run_once(async::Limit(2));
    }
}

class Peer {
public:
    // Makes a pair and keeps one end; theirs() is the other.
    Peer()
    {
        int pair[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) throw base::SystemError("socketpair");
        mine_ = base::Fd(pair[0]);
        theirs_ = base::Fd(pair[1]);
        base::set_nonblocking(pair[0]);
    }
    explicit Peer(base::Fd fd) : mine_(std::move(fd)) { base::set_nonblocking(mine_.get()); }

    base::Fd theirs() { return std::move(theirs_); }
    int fd() const { return mine_.get(); }
    void hang_up() { mine_.reset(); }
    void stop_sending() { ::shutdown(mine_.get(), SHUT_WR); }

    void send(std::string_view bytes)
    {
        while (!bytes.empty()) {
            ssize_t put = ::send(mine_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (put > 0) bytes.remove_prefix(static_cast<size_t>(put));
            if (put < 0 && errno == EPIPE) return;
            if (put < 0 && errno != EAGAIN) throw base::SystemError("send");
            if (!bytes.empty()) async::loop().run_once(async::Limit(2));
        }
    }
    // What was heard up to and with this text.
    std::string until(std::string_view text)
    {
        run_until([&] {
            listen();
            return heard_.find(text) != std::string::npos || ended_;
        });
        size_t at = heard_.find(text);
        if (at == std::string::npos) throw std::runtime_error("expected " + std::string(text) + ", heard: " + heard_);
        std::string said = heard_.substr(0, at + text.size());
        heard_.erase(0, said.size());
        return said;
    }
    std::string line() { return until("\r\n"); }
    std::string ask(std::string_view command)
    {
        send(std::string(command) + "\r\n");
        return line();
    }
    // All until the other side closes.
    std::string rest()
    {
        run_until([&] {
            listen();
            return ended_;
        });
        return std::exchange(heard_, {});
    }
    void listen()
    {
        char bytes[16384];
        ssize_t got;
        while ((got = ::recv(mine_.get(), bytes, sizeof bytes, 0)) > 0) heard_.append(bytes, static_cast<size_t>(got));
        if (got == 0 || (got < 0 && errno != EAGAIN)) ended_ = true;
    }
    const std::string& heard() const { return heard_; }

private:
    base::Fd mine_, theirs_;
    std::string heard_;
    bool ended_ = false;
};
