#include "system_users.h"

#include "base/error.h"

#include <pwd.h>

namespace auth {

std::optional<SystemUser> find_system_user(const std::vector<std::string>& names)
{
    constexpr size_t largest_entry = 1 << 20;
    for (const auto& name : names) {
        passwd entry{};
        passwd* found = nullptr;
        std::vector<char> space(4096);
        int error = ERANGE;
        while (error == ERANGE && space.size() <= largest_entry) {
            error = ::getpwnam_r(name.c_str(), &entry, space.data(), space.size(), &found);
            if (error == ERANGE) space.resize(space.size() * 4);
        }
        // POSIX lets a system say "not found" by several errors.
        bool none = error == ENOENT || error == ESRCH || error == EBADF || error == EPERM;
        if (error != 0 && !none) throw base::SystemError("user " + name, error);
        if (found) return SystemUser{found->pw_name, found->pw_uid, found->pw_gid, found->pw_dir};
    }
    return std::nullopt;
}

} // namespace auth
