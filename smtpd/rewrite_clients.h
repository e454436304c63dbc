// rewrite_clients: whose headers are ours to complete and rewrite: local_header_rewrite_clients.
#pragma once

#include "config/config.h"
#include "maps/map.h"
#include "maps/network.h"

#include <string>
#include <vector>

namespace smtpd {

struct Session;

class RewriteClients {
public:
    explicit RewriteClients(const config::Config& config);
    // The first word that fits decides. Throws maps::Unavailable.
    bool contains(const Session& session);

private:
    struct Word {
        std::string name;       // empty: a table of clients
        maps::Maps table;
    };
    std::vector<Word> words_;
    std::vector<maps::Address> own_addresses_;
    maps::Maps certificates_;   // relay_clientcerts
};

} // namespace smtpd
