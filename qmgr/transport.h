// transport: the queue of one delivery agent: which destination is next, how many deliveries at once, and the conversation with the agent.
//
// Destinations take turns, so that one with much mail does not keep others waiting, and in each the messages do. A destination starts with few
// deliveries at once (initial_destination_concurrency) and learns how many it takes (concurrency.h); it is left alone for a while when none succeeds.
#pragma once

#include "destination.h"
#include "message.h"

#include "async/nursery.h"
#include "base/clock.h"
#include "config/config.h"
#include "ipc/channel.h"

#include <deque>
#include <functional>
#include <map>
#include <optional>

namespace qmgr {

struct TransportLimits {
    int64_t processes = 100;                // deliveries at once, all destinations together
    ConcurrencyRules concurrency;
    int64_t destination_recipients = 50;
    async::Limit dead_destination_pause{60000};
    async::Limit destination_rate_delay{0}; // between two deliveries to one destination, one at a time
    async::Limit transport_rate_delay{0};   // between two deliveries, whatever their destinations
};
TransportLimits read_limits(const config::Config& config, const std::string& transport);

class Transport {
public:
    // Called when a group is done with: `done` has an outcome for each of its recipients.
    using Settle = std::function<void(Group& group, const spool::Done& done)>;
    // Opens the content for an agent. Throws base::SystemError.
    using OpenContent = std::function<base::Fd(const Message&)>;

    Transport(std::string name, std::string socket, TransportLimits limits, async::Nursery& nursery, OpenContent open, Settle settle);
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    const TransportLimits& limits() const { return limits_; }
    // destination: what shares one limit; usually the next hop.
    void enqueue(const std::string& destination, Group group);
    // Takes a message's queued groups out again (postsuper -d). They are settled by nobody.
    size_t withdraw(const Message& message);
    size_t queued() const { return queued_; }
    size_t in_flight() const { return jobs_.size(); }
    void stop_dispatching() { stopping_ = true; }
    void forget_dead_destinations();        // flush: try them all again

private:
    struct Job {
        Group group;
        Destination* destination;
    };

    void dispatch();
    void queue_dispatch();
    bool may_go(const Destination& destination) const;
    void take_turn(Destination& destination);
    bool send(Destination& destination, Group group);
    bool ensure_channel();
    async::Task<> read_answers();
    async::Task<> try_again_later();
    async::Task<> end_rate_delay(std::string destination);
    async::Task<> end_transport_delay();
    void defer_waiting(Destination& destination, const std::string& dsn, const std::string& text);
    void take(spool::Done done);
    void learn(Destination& destination, const spool::Done& done);
    void suspend(Destination& destination, const spool::Done& done);
    void settle_all(Group& group, spool::Outcome::Status status, const std::string& dsn, const std::string& text, bool log);
    void lost_agent(const std::string& why);

    std::string name_, socket_;
    TransportLimits limits_;
    async::Nursery& nursery_;
    OpenContent open_;
    Settle settle_;
    std::map<std::string, std::unique_ptr<Destination>> destinations_;
    std::deque<Destination*> turns_;
    std::map<uint64_t, Job> jobs_;
    std::optional<ipc::Channel> channel_;
    uint64_t next_job_ = 1;
    size_t queued_ = 0;
    int failures_ = 0;                      // connections that ended without an answer, one after the other
    bool pausing_ = false;
    bool rate_pause_ = false;
    bool dispatch_queued_ = false;
    bool stopping_ = false;
};

} // namespace qmgr
