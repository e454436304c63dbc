// context: what all connections of auth share: rules, sources of users, tickets.
#pragma once

#include "async/loop.h"
#include "mechanisms.h"
#include "oauth_token.h"
#include "penalties.h"
#include "source.h"
#include "tickets.h"
#include "user_names.h"
#include "verdict_cache.h"

#include <sys/types.h>

#include <string>
#include <unordered_set>
#include <vector>

namespace auth {

struct Rules {
    NameRules names;
    std::vector<std::string> mechanisms{"plain", "login"};
    std::vector<std::string> passdbs; // words for make_source(); when there are none, the next three
    std::vector<std::string> passwd_files;
    bool pam = false;
    std::string pam_service = "rookpost";
    std::vector<std::string> master_files; // whose users may log in as others
    std::string master_separator;          // between a user's name and a master's; "": none
    bool system_users = true; // whether passwd(5) is asked for uid and home
    async::Limit failure_delay{2000};
    bool penalty = true; // addresses with failures wait before the next check
    size_t cache_size = 0; // bytes
    base::Duration cache_lifetime{3'600'000}, cache_wrong_lifetime{3'600'000};
    OauthRules oauth;
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

using Sources = std::vector<std::unique_ptr<Source>>;

struct Context {
    explicit Context(Rules given);

    Rules rules;
    std::vector<const MechanismRow*> mechanisms;
    VerdictCache cache;
    Sources sources;
    Sources masters;
    std::string secret; // for what must look the same each time, of users that do not exist
    Tickets tickets;
    Penalties penalties;
    size_t checks = 0;
    uint32_t connections = 0;
    bool draining = false;
    std::unordered_set<Drainable*> open;

    bool asks_pam() const; // or something like it, outside of our sight
    void drain(); // clients keep their connections for long: they are told to make new ones
};

} // namespace auth
