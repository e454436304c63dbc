// system_users: who somebody is according to passwd(5) and whatever nsswitch.conf names. Blocks: for a thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace auth {

struct SystemUser {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::string home;
};

// The first of these names that exists. Throws base::SystemError when the tables can't be read.
std::optional<SystemUser> find_system_user(const std::vector<std::string>& names);

} // namespace auth
