// workers: the processes that deliver, one for each identity, kept for a while, and the orders that they have in hand.
#pragma once

#include "async/child.h"
#include "async/nursery.h"
#include "ipc/channel.h"
#include "order.h"
#include "worker.h"

#include <map>
#include <memory>
#include <set>

namespace local_delivery {

class Workers {
public:
    struct Limits {
        async::Limit idle{60'000};
        size_t processes = 100;         // beyond it, those who have nothing to do leave at once
        bool change_user = false;       // started as root
        bool sandboxed = true;
        bool for_virtual = false;
    };
    // config must outlive it.
    Workers(const config::Config& config, Limits limits);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    // Carries an order out as that identity. Without root there is nobody but ourselves: deferred. Never throws.
    async::Task<Answer> ask(Identity who, Order order);

    void drain();                       // workers end when their orders are done
    void stop();                        // workers end now
    size_t running() const { return nursery_.size(); }

private:
    struct Worker;
    struct Waiting {
        async::Flag answered;
        Answer answer;
    };
    Worker& start(const Identity& who, std::vector<gid_t> groups);
    void make_room();
    async::Task<> look_after(std::unique_ptr<Worker> worker);
    async::Task<> converse(Worker& worker);
    void take(Worker& worker, ipc::Packet packet);

    const config::Config& config_;
    Limits limits_;
    std::map<Identity, Worker*> workers_;   // those that take orders; look_after() owns them
    std::set<Worker*> all_;                     // those too that only finish what they have
    uint64_t last_number_ = 0;
    async::Nursery nursery_{"worker"};
};

} // namespace local_delivery
