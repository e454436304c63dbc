#include "net/stream.h"

#include <fmt/format.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace net {
namespace {

constexpr size_t read_size = 64 << 10;
constexpr size_t keep_capacity = 4 << 10;    // what an idle session may hold on to

using Status = Transport::Result::Status;

class PlainTransport final : public Transport {
public:
    explicit PlainTransport(int fd) : fd_(fd) {}

    Result read(std::span<char> into) override
    {
        ssize_t got;
        do got = ::recv(fd_, into.data(), into.size(), 0);
        while (got < 0 && errno == EINTR);
        if (got > 0) return {Status::done, static_cast<size_t>(got)};
        if (got == 0) return {Status::end};
        return failure(Status::want_read);
    }

    Result write(std::string_view bytes) override
    {
        ssize_t put;
        do put = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        while (put < 0 && errno == EINTR);
        if (put >= 0) return {Status::done, static_cast<size_t>(put)};
        return failure(Status::want_write);
    }

    Result close() override { return {Status::done}; }

private:
    static Result failure(Status would_block)
    {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return {would_block};
        return {Status::failed, 0, errno};
    }
    int fd_;
};

// One for all sessions of the process: what a read brings is copied on, so that an idle session holds no buffer.
std::span<char> scratch()
{
    static std::array<char, read_size> bytes;
    return bytes;
}

[[noreturn]] void throw_failed(const Transport::Result& result)
{
    std::string why = !result.detail.empty() ? result.detail : base::error_text(result.error);
    throw Gone(Gone::failed, why);
}

} // namespace

Stream::Core::Core(base::Fd descriptor, Address address) : fd(std::move(descriptor)), watch(fd.get()), peer(address) {}

Stream::Stream(base::Fd fd, Address peer)
{
    base::set_nonblocking(fd.get());
    if (!peer.is_unix()) {
        int on = 1;
        ::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
    core_ = std::make_unique<Core>(std::move(fd), peer);
    core_->transport = std::make_unique<PlainTransport>(core_->fd.get());
}

std::string_view Stream::buffered() const { return std::string_view(core_->in).substr(core_->in_start); }

void Stream::consume(size_t bytes)
{
    core_->in_start += bytes;
    if (core_->in_start < core_->in.size()) return;
    core_->in.clear();
    core_->in_start = 0;
}

bool Stream::ready() const { return !buffered().empty() || core_->watch.readable().ready(); }

async::Task<> Stream::wait_for(Status want, Limit limit)
{
    bool in_time = true;
    if (want == Status::want_read) {
        core_->watch.clear_readable();
        in_time = co_await async::wait(core_->watch.readable(), limit);
    } else {
        core_->watch.clear_writable();
        in_time = co_await async::wait(core_->watch.writable(), limit);
    }
    if (!in_time) throw Gone(Gone::timed_out, "timed out");
}

async::Task<bool> Stream::fill_or_end(Limit limit)
{
    if (core_->in_start == core_->in.size() && core_->in.capacity() > keep_capacity) {
        core_->in = std::string();
        core_->in_start = 0;
    }
    while (true) {
        // However busily the peer trickles.
        if (within_deadline(no_limit) == Limit(0)) throw Gone(Gone::timed_out, "timed out");
        if (!core_->watch.readable().ready()) {
            bool in_time = co_await async::wait(core_->watch.readable(), within_deadline(limit));
            if (!in_time) throw Gone(Gone::timed_out, "timed out");
        }
        auto result = core_->transport->read(scratch());
        if (result.status == Status::done) {
            if (core_->in_start > 0) {
                core_->in.erase(0, core_->in_start);
                core_->in_start = 0;
            }
            core_->in.append(scratch().data(), result.bytes);
            co_return true;
        }
        if (result.status == Status::end) co_return false;
        if (result.status == Status::failed) throw_failed(result);
        co_await wait_for(result.status, within_deadline(limit));
    }
}

void Stream::set_deadline(Limit from_now)
{
    core_->deadline.reset();
    if (from_now != no_limit) core_->deadline = std::chrono::steady_clock::now() + from_now;
}

void Stream::extend_deadline(Limit more, Limit most)
{
    if (core_->deadline) core_->deadline = std::min(*core_->deadline + more, std::chrono::steady_clock::now() + most);
}

Limit Stream::within_deadline(Limit limit) const
{
    if (!core_->deadline) return limit;
    auto left = std::chrono::ceil<Limit>(*core_->deadline - std::chrono::steady_clock::now());
    if (left < Limit(0)) left = Limit(0);
    return limit == no_limit ? left : std::min(limit, left);
}

bool Stream::peek()
{
    int waiting = 0;
    if (!buffered().empty()) return true;
    return ::ioctl(fd(), FIONREAD, &waiting) == 0 && waiting > 0 && try_fill();
}

bool Stream::try_fill()
{
    auto result = core_->transport->read(scratch());
    if (result.status == Status::failed) throw_failed(result);
    if (result.status == Status::end) throw Gone(Gone::closed, "lost connection");
    if (result.status == Status::want_read) core_->watch.clear_readable();
    if (result.status != Status::done) return false;
    core_->in.erase(0, std::exchange(core_->in_start, 0));
    core_->in.append(scratch().data(), result.bytes);
    return true;
}

async::Task<> Stream::fill(Limit limit)
{
    bool more = co_await fill_or_end(limit);
    if (!more) throw Gone(Gone::closed, "lost connection");
}

async::Task<std::string_view> Stream::line(Limit limit, size_t longest)
{
    size_t seen = 0;
    bool too_long = false;
    while (true) {
        std::string_view have = buffered();
        size_t end = have.find('\n', seen);
        if (end != std::string_view::npos) {
            if (too_long || end > longest) {
                consume(end + 1);
                throw LineTooLong();
            }
            // The bytes stay where they are until the next read; consume() alone does not move them.
            std::string_view text = have.substr(0, end);
            core_->bare_line_end = text.empty() || text.back() != '\r';
            if (!core_->bare_line_end) text.remove_suffix(1);
            core_->in_start += end + 1;
            co_return text;
        }
        seen = have.size();
        if (seen > longest) {
            too_long = true;
            consume(seen);
            seen = 0;
        }
        co_await fill(limit);
    }
}

async::Task<std::string_view> Stream::exactly(size_t bytes, Limit limit)
{
    while (buffered().size() < bytes) co_await fill(limit);
    std::string_view have = buffered().substr(0, bytes);
    core_->in_start += bytes;
    co_return have;
}

void Stream::write(std::string_view bytes) { core_->out.append(bytes); }

size_t Stream::unsent() const { return core_->out.size() - core_->out_start; }

async::Task<> Stream::put(std::string_view bytes, Limit limit)
{
    while (!bytes.empty()) {
        auto result = core_->transport->write(bytes);
        if (result.status == Status::done) {
            bytes.remove_prefix(result.bytes);
            continue;
        }
        if (result.status == Status::failed) throw_failed(result);
        if (result.status == Status::end) throw Gone(Gone::closed, "lost connection");
        co_await wait_for(result.status, limit);
    }
}

async::Task<> Stream::flush(Limit limit)
{
    while (core_->out_start < core_->out.size()) {
        auto result = core_->transport->write(std::string_view(core_->out).substr(core_->out_start));
        if (result.status == Status::done) {
            core_->out_start += result.bytes;
            continue;
        }
        if (result.status == Status::failed) throw_failed(result);
        if (result.status == Status::end) throw Gone(Gone::closed, "lost connection");
        co_await wait_for(result.status, limit);
    }
    core_->out_start = 0;
    if (core_->out.capacity() > keep_capacity)
        core_->out = std::string();
    else
        core_->out.clear();
}

async::Task<> Stream::send(std::string_view bytes, Limit limit)
{
    if (unsent() > 0 && bytes.size() < keep_capacity) {
        write(bytes);
        bytes = {};
    }
    co_await flush(limit);
    co_await put(bytes, limit);
}

async::Task<> Stream::close(Limit limit)
{
    if (!core_) co_return;
    try {
        co_await flush(limit);
        for (auto result = core_->transport->close();; result = core_->transport->close()) {
            if (result.status != Status::want_read && result.status != Status::want_write) break;
            co_await wait_for(result.status, limit);
        }
    } catch (const Gone&) {
    }
    ::shutdown(core_->fd.get(), SHUT_WR);
    core_.reset();
}

bool Stream::discard_buffered()
{
    bool any = !buffered().empty();
    core_->in.clear();
    core_->in_start = 0;
    return any;
}

void Stream::set_transport(std::unique_ptr<Transport> transport) { core_->transport = std::move(transport); }

base::Fd Stream::release()
{
    base::Fd fd = core_->fd.duplicate();
    core_.reset();
    return fd;
}

} // namespace net
