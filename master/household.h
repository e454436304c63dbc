// household: all services of master.cf together: start, reload, stop.
#pragma once

#include "service.h"

#include "config/config.h"

#include <map>
#include <memory>

namespace master {

// What stands in the configuration, checked: throws config::Error with file and line. warnings: services and parameters that are
// accepted but not carried out.
struct Plan {
    struct Entry {
        config::Service line;
        const Program* program;
        std::vector<std::string> sockets;
    };
    std::unique_ptr<config::Config> config;
    std::vector<Entry> entries;
    std::vector<std::string> warnings;
};
Plan read_plan(const std::string& folder);

// The folders of the queue with their owners, as far as our rights go.
void prepare_folders(const config::Config& config);

class Household {
public:
    void start(Plan plan);                      // throws base::SystemError when a socket cannot be had
    void reload(Plan plan);                     // old processes finish their sessions; sockets that stay are kept open
    void renew_doors();                         // services of the network anew, as they are; old processes finish their sessions
    std::vector<std::vector<config::Override>> overrides_of_doors() const;
    async::Task<> stop();                       // doors and owner first, then the rest; whoever does not go is killed
    const config::Config& config() const { return *config_; }

private:
    std::shared_ptr<Socket> socket(const std::string& name, Wire wire);
    async::Task<> wait_until_quiet(Order order, bool only_order, async::Limit limit);
    async::Task<> bury(std::unique_ptr<Service> old, std::shared_ptr<config::Config> its_config);
    async::Task<> replace(std::unique_ptr<Service> old, std::shared_ptr<config::Config> its_config, Service* successor);

    std::shared_ptr<config::Config> config_;
    std::vector<std::unique_ptr<Service>> services_;
    std::map<std::string, std::weak_ptr<Socket>> sockets_;
    async::Nursery nursery_{"household"};
};

} // namespace master
