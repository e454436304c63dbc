// context: what all connections of auth share: rules, sources of users, tickets.
#pragma once

#include "async/loop.h"
#include "mechanisms.h"
#include "passwd_file.h"
#include "tickets.h"
#include "user_names.h"

#include <sys/types.h>

#include <string>
#include <unordered_set>
#include <vector>

namespace auth {

struct Rules {
    NameRules names;
    std::vector<std::string> mechanisms{"plain", "login"};
    std::vector<std::string> passwd_files;
    bool pam = false;
    bool system_users = true; // whether passwd(5) is asked for uid and home
    std::string pam_service = "rookpost";
    async::Limit failure_delay{2000};
    uid_t first_valid_uid = 500, last_valid_uid = 0; // last: 0 is no limit
    gid_t first_valid_gid = 1, last_valid_gid = 0;
    size_t most_checks = 256;    // passwords being checked at one time
    size_t most_requests = 4096; // of one connection
};

// A connection that ends by itself once nobody waits for its answers.
class Drainable {
public:
    virtual void drain() = 0;

protected:
    ~Drainable() = default;
};

struct Context {
    explicit Context(Rules given);

    Rules rules;
    std::vector<const MechanismRow*> mechanisms;
    std::vector<PasswdFile> files;
    Tickets tickets;
    size_t checks = 0;
    uint32_t connections = 0;
    bool draining = false;
    std::unordered_set<Drainable*> open;

    void drain(); // clients keep their connections for long: they are told to make new ones
};

} // namespace auth
