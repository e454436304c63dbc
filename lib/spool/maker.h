// maker: the client of the queue manager for those who make mail: a queue file, please; here it is.
#pragma once

#include "async/nursery.h"
#include "async/queue.h"
#include "ipc/channel.h"
#include "spool/messages.h"

#include <functional>
#include <map>
#include <optional>
#include <unordered_map>

namespace spool {

// The queue manager can't be reached or has no room: the text for a 4xx reply.
class Unavailable : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// A queue file on its way: abandoned when it goes before commit().
class NewFile {
public:
    NewFile() = default;
    NewFile(class Maker* maker, uint64_t connection, std::string id, base::Fd fd)
        : maker_(maker), connection_(connection), id_(std::move(id)), fd_(std::move(fd))
    {}
    NewFile(NewFile&& other) noexcept
        : maker_(std::exchange(other.maker_, nullptr)), connection_(other.connection_), id_(std::move(other.id_)), fd_(std::move(other.fd_))
    {}
    NewFile& operator=(NewFile&& other) noexcept;
    ~NewFile() { abandon(); }

    explicit operator bool() const { return maker_ != nullptr; }
    const std::string& id() const { return id_; }
    const base::Fd& fd() const { return fd_; }
    // REQUIRES: written and synced. From here on it is the queue manager's. Throws Unavailable when the one who made the file is gone: a
    // new queue manager looked through its folders before the file was complete, and does not know of it.
    void commit();
    void abandon();

private:
    class Maker* maker_ = nullptr;
    uint64_t connection_ = 0;
    std::string id_;
    base::Fd fd_;
};

// One a process. Connects at first use and again after the queue manager was restarted. A Pickup that arrives is handed to on_pickup.
class Maker {
public:
    Maker(std::string socket_path, async::Nursery& nursery) : path_(std::move(socket_path)), nursery_(nursery) {}

    // Throws Unavailable.
    async::Task<NewFile> create(async::Limit limit = std::chrono::seconds(30));
    // Whether mail for the address could be delivered; waits for the outcome of a probe, if need be. Nothing: the queue manager can't say.
    async::Task<std::optional<Verified>> verify(std::string address, async::Limit wait);
    // Offers to take what lies in maildrop/; connects, and keeps connected.
    void offer_pickup(std::function<async::Task<>(Pickup)> on_pickup);
    void answer(PickedUp verdict);

private:
    friend class NewFile;
    struct Waiting {
        async::Flag answered;
        Created answer;
        uint64_t connection = 0;    // where it was asked
    };
    struct Verifying {
        async::Flag answered;
        std::optional<Verified> answer;
        uint64_t connection = 0;
    };
    void connect();
    void give_up_verifying(uint64_t connection);
    bool ask(uint64_t request, Waiting& waiting);
    void ask_again(uint64_t left);
    async::Task<> read_answers(uint64_t number);
    async::Task<> keep_offering();
    void take(uint64_t number, ipc::Packet& packet);
    void lose(uint64_t number);
    template <class Message> bool tell(uint64_t number, Message message)
    {
        auto found = connections_.find(number);
        return found != connections_.end() && found->second.post(std::move(message));
    }

    std::string path_;
    async::Nursery& nursery_;
    std::map<uint64_t, ipc::Channel> connections_;      // more than one only while a queue manager hands over to its successor
    uint64_t current_ = 0;                              // where new files are asked for; 0: nowhere yet
    uint64_t last_connection_ = 0;
    std::unordered_map<std::string, uint64_t> pickups_; // who gave us this one
    async::Flag lost_;
    uint64_t next_request_ = 1;
    std::unordered_map<uint64_t, Waiting*> waiting_;
    std::unordered_map<uint64_t, Verifying*> verifying_;
    std::function<async::Task<>(Pickup)> on_pickup_;
};

} // namespace spool
