// connections: open sessions that have nothing to do for a moment, kept for the next message to the same place.
#pragma once

#include "async/nursery.h"
#include "maps/matchlist.h"
#include "session.h"

#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace smtp_client {

class Connections {
public:
    explicit Connections(const Settings& settings)
        : settings_(settings), keep_for_(settings.keep_for, maps::Matching::domains)
    {
    }
    Connections(const Connections&) = delete;
    Connections& operator=(const Connections&) = delete;

    // Nothing when none is kept. The session is the caller's, who gives it back with keep() or dismiss().
    std::unique_ptr<Session> take_for(const std::string& key);
    std::unique_ptr<Session> take_host(const std::string& host_with_port);
    // Keeps it for some seconds, or says QUIT when it has served long enough.
    // key: under which take_for() finds it, for that next hop.
    void keep(std::unique_ptr<Session> session, const std::string& nexthop, const std::string& key);
    void dismiss(std::unique_ptr<Session> session);
    void dismiss_all();
    size_t size() const { return idle_.size(); }

private:
    struct Idle {
        std::unique_ptr<Session> session;
        std::string key, host;
        base::Steady until;
    };
    using Place = std::list<Idle>::iterator;
    using Index = std::unordered_multimap<std::string, Place>;

    std::unique_ptr<Session> take(Place place);
    std::unique_ptr<Session> take_from(const Index& index, const std::string& key);
    static void forget(Index& index, const std::string& key, Place place);
    void dismiss_old();
    void watch_oldest();

    bool is_wanted(const std::string& nexthop);

    const Settings& settings_;
    maps::MatchList keep_for_;
    std::list<Idle> idle_; // the oldest first
    Index by_key_, by_host_;
    async::Timer timer_;
    bool timer_runs_ = false;
    async::Nursery goodbyes_{"closing connection"};
};

} // namespace smtp_client
