// service: one line of master.cf at work: its sockets and its processes.
#pragma once

#include "programs.h"
#include "sockets.h"

#include "async/child.h"
#include "async/nursery.h"
#include "async/watch.h"
#include "config/config.h"
#include "config/master_cf.h"

#include <functional>
#include <list>
#include <memory>
#include <vector>

namespace master {

class Service {
public:
    Service(const config::Config& config, config::Service line, const Program& program, std::vector<std::shared_ptr<Socket>> sockets);
    ~Service();
    Service(const Service&) = delete;
    Service& operator=(const Service&) = delete;

    void start();                                   // serves from now on: starts processes when they are needed, and again when they end
    void signal(int number);                        // to all its processes
    void retire(int number);                        // no process is started any more; those that live are signalled
    bool quiet() const { return children_.empty(); }
    async::Source& ended() { return ended_; }       // set each time a process has ended
    void clear_ended() { ended_.clear(); }

    const config::Service& line() const { return line_; }
    const Program& program() const { return program_; }
    const std::vector<std::shared_ptr<Socket>>& sockets() const { return sockets_; }

private:
    async::Task<> keep_running(unsigned slot);
    async::Task<> wait_for_client();
    pid_t spawn(unsigned slot);
    std::vector<std::string> arguments(unsigned slot) const;

    const config::Config& config_;
    config::Service line_;
    const Program& program_;
    std::vector<std::shared_ptr<Socket>> sockets_;
    std::vector<std::unique_ptr<async::Watch>> watches_;
    base::Fd control_ours_, control_theirs_;        // while we hold our end, the processes know that master lives
    base::Fd counts_;                               // of clients, which the processes share; empty when they do not
    std::list<async::Child*> children_;
    async::Flag wanted_, ended_;
    bool retired_ = false;
    async::Nursery nursery_{"service"};
};

} // namespace master
