// users: the people of this machine, looked up off the loop and remembered for a short while.
#pragma once

#include "async/task.h"
#include "base/clock.h"
#include "sandbox/sandbox.h"

#include <map>
#include <optional>
#include <string>

namespace local_delivery {

class Users {
public:
    // Nothing when there is no such user. Throws base::SystemError when the system can't say.
    async::Task<std::optional<sandbox::User>> find(std::string name);
    async::Task<std::optional<sandbox::User>> find(uid_t uid);
    // All groups of whoever has that uid; the given one alone for a uid without a name.
    static async::Task<std::vector<gid_t>> groups_of(uid_t uid, gid_t gid);

private:
    struct Known {
        std::optional<sandbox::User> user;
        base::Steady until;
    };
    const Known* known(const std::string& key) const;
    void remember(const std::string& key, const std::optional<sandbox::User>& user);
    std::map<std::string, Known> known_;    // names; and uids, written "#1000"
};

} // namespace local_delivery
