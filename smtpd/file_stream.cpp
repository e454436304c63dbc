#include "file_stream.h"

#include <sys/socket.h>
#include <unistd.h>

namespace smtpd {
namespace {

constexpr size_t most_replies = 64 << 10;

} // namespace

net::Transport::Result FileTransport::read(std::span<char> into)
{
    ssize_t got = ::read(file_.get(), into.data(), into.size());
    if (got > 0) return {Result::done, static_cast<size_t>(got)};
    if (got == 0) return {Result::end};
    return {Result::failed, 0, errno};
}

net::Transport::Result FileTransport::write(std::string_view bytes)
{
    if (written_.size() < most_replies) written_ += bytes;
    return {Result::done, bytes.size()};
}

net::Stream stream_over_file(base::Fd file)
{
    // A stream watches a socket. This one's other end is closed, so that it is always readable, as a file is.
    int both[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) throw base::SystemError("socketpair");
    ::close(both[1]);
    sockaddr local{};
    local.sa_family = AF_UNIX;
    net::Stream stream(base::Fd(both[0]), net::Address(&local, sizeof local.sa_family));
    stream.set_transport(std::make_unique<FileTransport>(std::move(file)));
    return stream;
}

} // namespace smtpd
