#include "ipc/channel.h"

#include "base/log.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>

namespace ipc {
namespace {

constexpr int socket_buffer = 1 << 20;

struct Header {
    uint16_t type;
};

base::Fd make_socket()
{
    base::Fd fd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) throw base::SystemError("socket");
    return fd;
}

} // namespace

Channel::Channel(base::Fd fd) : core_(std::make_unique<Core>(std::move(fd))) {}

Channel::Core::Core(base::Fd descriptor) : fd(std::move(descriptor)), watch(fd.get())
{
    ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &socket_buffer, sizeof socket_buffer);
    watch.writable().set_waiter(this);
}

Channel::Core::~Core() { watch.writable().set_waiter(nullptr); }

Channel::Core::Sent Channel::Core::send_now(Packet& packet)
{
    Header header{packet.type};
    iovec parts[2] = {{&header, sizeof header}, {packet.bytes.data(), packet.bytes.size()}};
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)] = {};
    if (!packet.descriptors.empty()) {
        size_t size = sizeof(int) * packet.descriptors.size();
        message.msg_control = control;
        message.msg_controllen = CMSG_SPACE(size);
        cmsghdr* entry = CMSG_FIRSTHDR(&message);
        entry->cmsg_level = SOL_SOCKET;
        entry->cmsg_type = SCM_RIGHTS;
        entry->cmsg_len = CMSG_LEN(size);
        for (size_t i = 0; i < packet.descriptors.size(); ++i) {
            int number = packet.descriptors[i].get();
            std::memcpy(CMSG_DATA(entry) + i * sizeof(int), &number, sizeof number);
        }
    }
    ssize_t put;
    do put = ::sendmsg(fd.get(), &message, MSG_NOSIGNAL);
    while (put < 0 && errno == EINTR);
    if (put >= 0) return Sent::yes;
    // ETOOMANYREFS: descriptors in flight wait for the receiver, which is as good as a full buffer.
    if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS) {
        watch.clear_writable();
        return Sent::later;
    }
    if (errno != EPIPE && errno != ECONNRESET) base::log::warning("send to another program: {}", base::error_text(errno));
    return Sent::never;
}

void Channel::Core::woken()
{
    while (!queue.empty() && send_now(queue.front()) != Sent::later) queue.pop_front();
}

bool Channel::send(Packet packet)
{
    if (packet.bytes.size() > largest_packet || packet.descriptors.size() > most_descriptors) throw Malformed("too large to send");
    if (core_->queue.empty()) {
        auto sent = core_->send_now(packet);
        if (sent != Core::Sent::later) return sent == Core::Sent::yes;
    }
    core_->queue.push_back(std::move(packet));
    return true;
}

bool Channel::try_receive(Packet& packet)
{
    if (core_->at_end || !core_->watch.readable().ready()) return false;
    static std::string space(largest_packet, '\0');
    Header header{};
    iovec parts[2] = {{&header, sizeof header}, {space.data(), space.size()}};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * most_descriptors)];
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = 2;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    ssize_t got;
    do got = ::recvmsg(core_->fd.get(), &message, MSG_CMSG_CLOEXEC);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        core_->watch.clear_readable();
        return false;
    }
    packet = Packet();
    if (got > 0) {
        for (cmsghdr* entry = CMSG_FIRSTHDR(&message); entry; entry = CMSG_NXTHDR(&message, entry)) {
            if (entry->cmsg_level != SOL_SOCKET || entry->cmsg_type != SCM_RIGHTS) continue;
            size_t count = (entry->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t i = 0; i < count; ++i) {
                int number;
                std::memcpy(&number, CMSG_DATA(entry) + i * sizeof(int), sizeof number);
                packet.descriptors.emplace_back(number);
            }
        }
    }
    if (got <= 0) {
        core_->at_end = true;
        return false;
    }
    if (static_cast<size_t>(got) < sizeof header || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) throw Malformed("truncated");
    packet.type = header.type;
    packet.bytes.assign(space, 0, static_cast<size_t>(got) - sizeof header);
    return true;
}

std::optional<uint16_t> Channel::peek_type() const
{
    Header header{};
    ssize_t got = ::recv(core_->fd.get(), &header, sizeof header, MSG_PEEK | MSG_DONTWAIT);
    if (got < static_cast<ssize_t>(sizeof header)) return std::nullopt;
    return header.type;
}

async::Task<std::optional<Packet>> Channel::receive()
{
    while (true) {
        Packet packet;
        if (try_receive(packet)) co_return packet;
        if (core_->at_end) co_return std::nullopt;
        co_await async::wait(core_->watch.readable());
    }
}

Peer Channel::peer() const
{
    ucred credentials{};
    socklen_t size = sizeof credentials;
    if (::getsockopt(core_->fd.get(), SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) throw base::SystemError("peer credentials");
    return {credentials.pid, credentials.uid, credentials.gid};
}

Channel connect_to(const std::string& path)
{
    base::Fd fd = make_socket();
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) throw base::SystemError("connect to " + path, ENAMETOOLONG);
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    if (::connect(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) throw base::SystemError("connect to " + path);
    return Channel(std::move(fd));
}

Pair make_pair()
{
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, both) != 0) throw base::SystemError("socketpair");
    return {base::Fd(both[0]), base::Fd(both[1])};
}

} // namespace ipc
