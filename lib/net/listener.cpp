#include "net/listener.h"

#include "base/log.h"

#include <netinet/in.h>
#include <sys/stat.h>
#include <unistd.h>

namespace net {
namespace {

// Few at a time, so that processes which share the socket share the work.
constexpr int accepts_a_round = 4;
constexpr Limit pause_when_out_of_descriptors{200};

base::Fd accept_one(int listening, Address& peer)
{
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    int fd = ::accept4(listening, reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) peer = Address(reinterpret_cast<sockaddr*>(&storage), size);
    return base::Fd(fd);
}

bool is_exhaustion(int code) { return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM; }

} // namespace

namespace {

using Take = std::function<void(base::Fd, Address)>;
using MayTake = std::function<bool()>;

enum class Round { nothing_left, more, full };

Round accept_some(int listening, const Take& take, const MayTake& may_take)
{
    for (int i = 0; i < accepts_a_round; ++i) {
        if (may_take && !may_take()) return Round::full;
        Address peer;
        base::Fd fd = accept_one(listening, peer);
        if (fd) {
            take(std::move(fd), peer);
        } else if (is_exhaustion(errno)) {
            base::log::warning("accept connection: {}", base::error_text(errno));
            return Round::full;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return Round::nothing_left;
        }
    }
    return may_take && !may_take() ? Round::full : Round::more;
}

async::Task<> accept_at_once(int listening, Take take, MayTake may_take)
{
    async::Watch watch(listening);
    while (true) {
        co_await async::wait(watch.readable());
        Round round = accept_some(listening, take, may_take);
        if (round == Round::nothing_left) watch.clear_readable();
        if (round == Round::full)
            co_await async::sleep(pause_when_out_of_descriptors);
        else
            co_await async::Yield();
    }
}

async::Task<> until_readable(int listening)
{
    async::Watch watch(listening);
    co_await async::wait(watch.readable());
}

async::Task<> accept_with_patience(int listening, Take take, MayTake may_take, Limit patience)
{
    while (true) {
        // Not watched meanwhile: connections that the others take shall not wake us.
        co_await until_readable(listening);
        co_await async::sleep(patience);
        Round round = accept_some(listening, take, may_take);
        if (round == Round::full) co_await async::sleep(pause_when_out_of_descriptors);
    }
}

} // namespace

async::Task<> accept_connections(int listening, Take take, MayTake may_take, Limit patience)
{
    if (patience > Limit(0)) return accept_with_patience(listening, std::move(take), std::move(may_take), patience);
    return accept_at_once(listening, std::move(take), std::move(may_take));
}

async::Task<Stream> connect(Address to, Limit limit, Address from)
{
    base::Fd fd(::socket(to.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) throw Gone(Gone::failed, base::error_text(errno));
    if (from.size() > 0 && ::bind(fd.get(), from.data(), from.size()) != 0) throw Gone(Gone::failed, base::error_text(errno));
    int result = ::connect(fd.get(), to.data(), to.size());
    if (result != 0 && errno != EINPROGRESS && errno != EAGAIN) {
        Gone::Why why = Gone::failed;
        throw Gone(why, base::error_text(errno));
    }
    bool pending = result != 0;
    Stream stream(std::move(fd), to);
    if (pending) {
        co_await stream.wait_for(Transport::Result::want_write, limit);
        int error = 0;
        socklen_t size = sizeof error;
        ::getsockopt(stream.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
        if (error != 0) throw Gone(Gone::failed, base::error_text(error));
    }
    co_return stream;
}

base::Fd listen_on(const Address& where, int backlog, int type, mode_t mode)
{
    base::Fd fd(::socket(where.family(), type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    if (!fd) throw base::SystemError("socket for " + where.text());
    int on = 1;
    if (where.is_unix()) {
        ::unlink(where.text().c_str());
    } else {
        ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (where.is_ipv6()) ::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    if (::bind(fd.get(), where.data(), where.size()) != 0) throw base::SystemError("bind " + where.text());
    if (where.is_unix() && ::chmod(where.text().c_str(), mode) != 0) throw base::SystemError("chmod " + where.text());
    if (::listen(fd.get(), backlog) != 0) throw base::SystemError("listen on " + where.text());
    return fd;
}

} // namespace net
