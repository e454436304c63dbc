#include "login/relay.h"

#include <sys/socket.h>

#include <array>

namespace login {
namespace {

using Status = net::Transport::Result::Status;

constexpr int rounds_before_others = 16;

std::span<char> scratch()
{
    static std::array<char, 16 << 10> bytes;    // a TLS record; one for all relays of the process
    return bytes;
}

} // namespace

Relay::Relay(net::Stream& client, net::Stream& session) : up_{client, session, {}}, down_{session, client, {}}
{
    for (net::Stream* stream : {&client, &session}) {
        stream->watch().readable().set_waiter(this);
        stream->watch().writable().set_waiter(this);
    }
    woken();
}

Relay::~Relay()
{
    for (net::Stream* stream : {&up_.from, &up_.to}) {
        stream->watch().readable().set_waiter(nullptr);
        stream->watch().writable().set_waiter(nullptr);
    }
}

void Relay::run()
{
    for (int round = 0; round < rounds_before_others; ++round) {
        bool more = copy(up_);
        more = copy(down_) || more;
        if (broken_ || down_.end_passed_on) {
            finished_.set();
            return;
        }
        if (!more) return;
    }
    woken();    // one busy session must not stop the others
}

// Takes away from bytes what the other side took; false when it would block or is gone.
bool Relay::put(Direction& direction, std::string_view& bytes)
{
    while (!bytes.empty()) {
        auto result = direction.to.transport()->write(bytes);
        direction.write_wants_read = result.status == Status::want_read;
        switch (result.status) {
        case Status::done: bytes.remove_prefix(result.bytes); break;
        case Status::want_write: direction.to.watch().clear_writable(); return false;
        case Status::want_read: direction.to.watch().clear_readable(); return false;
        case Status::end:
        case Status::failed: broken_ = true; return false;
        }
    }
    return true;
}

void Relay::pass_on_end(Direction& direction)
{
    if (direction.end_passed_on) return;
    direction.end_passed_on = true;
    if (&direction == &up_) ::shutdown(direction.to.fd(), SHUT_WR);
}

bool Relay::copy(Direction& direction)
{
    if (!direction.left.empty()) {
        std::string_view rest = direction.left;
        bool all = put(direction, rest);
        direction.left.erase(0, direction.left.size() - rest.size());
        if (!all) return false;
        direction.left = std::string();
    }
    if (direction.at_end) {
        pass_on_end(direction);
        return false;
    }
    auto& watch = direction.from.watch();
    if (!watch.readable().ready() && !direction.read_wants_write) return false;
    auto result = direction.from.transport()->read(scratch());
    direction.read_wants_write = result.status == Status::want_write;
    switch (result.status) {
    case Status::done: break;
    case Status::want_read: watch.clear_readable(); return false;
    case Status::want_write: watch.clear_writable(); return false;
    case Status::end:
    case Status::failed: direction.at_end = true; return true;
    }
    std::string_view bytes(scratch().data(), result.bytes);
    if (!put(direction, bytes)) direction.left = bytes;
    return direction.left.empty();
}

async::Task<> relay(net::Stream& client, net::Stream& session)
{
    Relay both(client, session);
    co_await async::wait(both.finished());
}

} // namespace login
