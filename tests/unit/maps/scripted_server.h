// scripted_server: a server on a Unix socket that gives each request its next reply, on a thread of its own.
#pragma once

#include "base/fd.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <string>
#include <thread>

// answer: from what one recv() brought to what is sent; an empty answer closes the connection.
class ScriptedServer {
public:
    ScriptedServer(const std::string& path, std::function<std::string(std::string)> answer) : answer_(std::move(answer))
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
        listener_ = base::Fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
        ::unlink(path.c_str());
        if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || ::listen(listener_.get(), 5) != 0)
            throw base::SystemError(path);
        int ends[2];
        if (::pipe(ends) != 0) throw base::SystemError("pipe");
        stop_read_ = base::Fd(ends[0]);
        stop_write_ = base::Fd(ends[1]);
        thread_ = std::thread([this] { serve(); });
    }
    ~ScriptedServer()
    {
        stop_write_.reset();
        thread_.join();
    }
    int connections() const { return connections_; }

private:
    bool readable(int fd)
    {
        pollfd both[2] = {{fd, POLLIN, 0}, {stop_read_.get(), POLLIN, 0}};
        return ::poll(both, 2, -1) > 0 && both[1].revents == 0;
    }
    void serve()
    {
        while (readable(listener_.get())) {
            base::Fd client(::accept(listener_.get(), nullptr, nullptr));
            ++connections_;
            char buffer[8192];
            ssize_t got;
            while (readable(client.get()) && (got = ::recv(client.get(), buffer, sizeof buffer, 0)) > 0) {
                std::string reply = answer_(std::string(buffer, static_cast<size_t>(got)));
                if (reply.empty() || ::send(client.get(), reply.data(), reply.size(), MSG_NOSIGNAL) < 0) break;
            }
        }
    }

    std::function<std::string(std::string)> answer_;
    base::Fd listener_, stop_read_, stop_write_;
    std::atomic<int> connections_{0};
    std::thread thread_;
};
