// text_peer: sockets with a deadline.
#include "maps/text_peer.h"

#include "base/text.h"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <memory>

#include <fmt/format.h>

namespace maps {

using driver::ServerLost;

Endpoint Endpoint::parse(std::string_view text)
{
    Endpoint endpoint;
    for (std::string_view word : {"unix:", "local:"}) {
        if (!base::starts_with_word(text, word)) continue;
        endpoint.path = text.substr(word.size());
        if (endpoint.path.empty() || endpoint.path.size() >= sizeof(sockaddr_un::sun_path)) throw std::runtime_error(fmt::format("\"{}\": expected unix:/path", text));
        return endpoint;
    }
    std::string_view rest = base::starts_with_word(text, "inet:") ? text.substr(5) : text;
    auto cut = base::cut_last(rest, ':');
    std::string_view host = cut.before;
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    if (!cut.found || host.empty() || cut.after.empty()) throw std::runtime_error(fmt::format("\"{}\": expected host:port", text));
    endpoint.host = host;
    endpoint.port = cut.after;
    return endpoint;
}

TextPeer::TextPeer(const Endpoint& endpoint, base::Duration limit) : limit_(limit), deadline_(base::steady_now() + limit)
{
    if (endpoint.is_unix()) connect_unix(endpoint.path);
    else connect_inet(endpoint);
}

void TextPeer::connect_unix(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    int error = 0;
    if (!connect_to(AF_UNIX, &address, sizeof address, error)) throw ServerLost(fmt::format("connect to {}: {}", path, base::error_text(error)));
}

void TextPeer::connect_inet(const Endpoint& endpoint)
{
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    int code = ::getaddrinfo(endpoint.host.c_str(), endpoint.port.c_str(), &hints, &list);
    if (code != 0) throw ServerLost(fmt::format("host or service {}:{} not found: {}", endpoint.host, endpoint.port, ::gai_strerror(code)));
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(list, ::freeaddrinfo);
    int error = 0;
    for (addrinfo* each = list; each; each = each->ai_next)
        if (connect_to(each->ai_family, each->ai_addr, each->ai_addrlen, error)) return;
    throw ServerLost(fmt::format("connect to {}:{}: {}", endpoint.host, endpoint.port, base::error_text(error)));
}

bool TextPeer::connect_to(int family, const void* address, unsigned length, int& error)
{
    fd_ = base::Fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (fd_ && ::connect(fd_.get(), static_cast<const sockaddr*>(address), length) == 0) return true;
    error = errno;
    if (!fd_ || error != EINPROGRESS) return false;
    wait(POLLOUT);
    socklen_t size = sizeof error;
    ::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    return error == 0;
}

void TextPeer::wait(short events)
{
    while (true) {
        auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline_ - base::steady_now()).count();
        if (left <= 0) throw ServerLost(base::error_text(ETIMEDOUT));
        pollfd one{fd_.get(), events, 0};
        int ready = ::poll(&one, 1, static_cast<int>(left));
        if (ready > 0) return;
        if (ready < 0 && errno != EINTR) throw ServerLost(base::error_text(errno));
    }
}

void TextPeer::send(std::string_view request)
{
    deadline_ = base::steady_now() + limit_;
    if (!received_.empty()) throw ServerLost("the server says what it was not asked");
    while (!request.empty()) {
        ssize_t sent = ::send(fd_.get(), request.data(), request.size(), MSG_NOSIGNAL);
        if (sent >= 0) request.remove_prefix(static_cast<size_t>(sent));
        else if (errno == EAGAIN) wait(POLLOUT);
        else if (errno != EINTR) throw ServerLost(base::error_text(errno));
    }
}

void TextPeer::receive()
{
    char buffer[16384];
    while (true) {
        ssize_t got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
        if (got > 0) {
            received_.append(buffer, static_cast<size_t>(got));
            return;
        }
        if (got == 0) throw ServerLost("the server closed the connection");
        if (errno == EAGAIN) wait(POLLIN);
        else if (errno != EINTR) throw ServerLost(base::error_text(errno));
    }
}

std::string TextPeer::line(size_t most)
{
    size_t end;
    while ((end = received_.find('\n')) == std::string::npos) {
        if (received_.size() > most) break;
        receive();
    }
    if (end == std::string::npos || end > most) throw ServerLost(fmt::format("the server's reply is longer than {} bytes", most));
    std::string line = received_.substr(0, end);
    received_.erase(0, end + 1);
    if (line.ends_with('\r')) line.pop_back();
    return line;
}

std::string TextPeer::bytes(size_t count)
{
    while (received_.size() < count) receive();
    std::string bytes = received_.substr(0, count);
    received_.erase(0, count);
    return bytes;
}

} // namespace maps
