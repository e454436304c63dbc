// workers: the processes that serve sessions, one for each uid, and how many sessions each user has from each address.
#pragma once

#include "async/child.h"
#include "async/nursery.h"
#include "ipc/channel.h"
#include "login/hand_over.h"
#include "login/session.h"

#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace login {

class Workers {
public:
    struct Limits {
        size_t sessions_per_user_and_address = 10;      // 0: no limit
        async::Limit idle{60'000};                      // a worker without sessions ends after this
        bool change_user = false;                       // started as root
        bool sandboxed = true;
    };
    Workers(std::string protocol, Limits limits, SessionFunction session);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    // Gives the connection to the worker of the account's uid. Throws base::SystemError when there is none to be had.
    HandedOver give(HandOver message, const Account& account);

    void drain();                   // workers end when their sessions do
    void stop();                    // workers end now
    size_t running() const { return nursery_.size(); }
    async::Source& gone() { return nursery_.empty(); }  // ready when no worker runs
    size_t sessions() const;

private:
    struct Worker;
    struct Key {
        uid_t uid;
        gid_t gid;
        auto operator<=>(const Key&) const = default;
    };
    using UserAndAddress = std::pair<std::string, std::string>;

    Worker& worker_for(const Account& account);
    async::Task<> look_after(std::unique_ptr<Worker> worker);
    async::Task<> converse(Worker& worker);
    void session_ended(Worker& worker, uint64_t number);

    std::string protocol_;
    Limits limits_;
    SessionFunction session_;
    std::map<Key, Worker*> workers_;                    // those that take sessions; look_after() owns them
    std::map<UserAndAddress, size_t> sessions_;
    std::set<Worker*> leaving_;                         // those that only finish what they have
    uint64_t last_number_ = 0;
    async::Nursery nursery_{"worker"};
};

} // namespace login
