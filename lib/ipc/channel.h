// channel: packets with descriptors over a connected Unix SOCK_SEQPACKET socket, between two of our own programs.
#pragma once

#include "async/task.h"
#include "async/watch.h"
#include "ipc/packet.h"

#include <sys/types.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace ipc {

// The other program is gone (it ended, or it broke the protocol and was hung up on).
class Closed : public std::runtime_error {
public:
    explicit Closed(const std::string& why) : std::runtime_error(why) {}
};

struct Peer {
    pid_t pid = 0;
    uid_t uid = 0;
    gid_t gid = 0;
};

class Channel {
public:
    explicit Channel(base::Fd fd);
    Channel(Channel&&) = default;
    Channel& operator=(Channel&&) = default;

    // Sends now, or queues while the peer is slow; order is kept. Users bound what they have in flight. False: the peer is gone.
    bool send(Packet packet);
    template <class Message> bool post(Message message) { return send(pack(std::move(message))); }

    // The next packet; nothing when the peer has closed. Throws Closed on a broken socket, Malformed.
    async::Task<std::optional<Packet>> receive();
    // Packets that are here already, without waiting.
    bool try_receive(Packet& packet);
    bool at_end() const { return core_->at_end; }   // the peer has closed, and everything it sent was received
    // The type of the next packet, which stays where it is; nothing when there is none.
    std::optional<uint16_t> peek_type() const;
    async::Source& readable() { return core_->watch.readable(); }

    Peer peer() const;                          // SO_PEERCRED
    size_t unsent() const { return core_->queue.size(); }
    base::Fd release() { base::Fd fd = std::move(core_->fd); core_.reset(); return fd; }

private:
    struct Core final : async::Waiter {
        explicit Core(base::Fd fd);
        ~Core();
        void woken() override;
        enum class Sent { yes, later, never };
        Sent send_now(Packet& packet);

        base::Fd fd;
        async::Watch watch;
        std::deque<Packet> queue;
        bool at_end = false;
    };
    std::unique_ptr<Core> core_;
};

// A connected channel to the program that listens at path. Throws base::SystemError.
Channel connect_to(const std::string& path);
struct Pair {
    base::Fd ours, theirs;
};
Pair make_pair();       // socketpair, both close-on-exec, non-blocking

} // namespace ipc
