// server_map: a table whose answers come from a server. The first server that answers is asked; one that is lost is left alone for a while, and
// connected to again later.
#pragma once

#include "maps/client_file.h"
#include "maps/driver.h"
#include "maps/map.h"
#include "maps/matchlist.h"
#include "maps/query_pattern.h"

#include "base/clock.h"

namespace maps {

// What the core does with keys and values, whichever the driver.
struct ServerRules {
    std::string domains;                    // domain: only addresses in these are asked for; empty: all keys
    std::string result_format;              // empty: values as they are
    int expansion_limit = 0;                // values; 0: no limit
    std::chrono::seconds idle{60};          // then a connection is closed
    std::chrono::seconds retry{60};         // a lost server is tried again after this at the latest

    static ServerRules of(const ClientFile& file);
};

class ServerMap final : public Map {
public:
    // Throws Unavailable for patterns that cannot be read.
    ServerMap(std::string name, std::unique_ptr<driver::Driver> driver, const ServerRules& rules, const Options& options);
    ~ServerMap() override;

    std::optional<std::string> find(std::string_view key) override;

private:
    struct Server {
        std::string name, failure;
        std::unique_ptr<driver::Connection> connection;
        base::Steady used{}, retry_at{};
    };
    bool concerns(std::string_view key);
    std::vector<std::string> ask(std::string_view key);
    std::vector<std::string> ask(Server& server, std::string_view key);
    std::vector<std::string> fill(driver::Connection& connection, std::string_view key) const;
    void lost(Server& server, const std::string& why, base::Steady began);
    std::optional<std::string> join(const std::vector<std::string>& values, std::string_view key) const;
    [[noreturn]] void fail(const std::string& why) const;

    std::unique_ptr<driver::Driver> driver_;
    std::vector<QueryPattern> patterns_;
    std::optional<QueryPattern> result_;
    ServerRules rules_;
    MatchList domains_;
    bool fold_;
    std::vector<Server> servers_;
};

} // namespace maps
