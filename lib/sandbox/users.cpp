// users: finding and becoming somebody else.
#include "sandbox/sandbox.h"

#include "base/error.h"

#include <fmt/format.h>

#include <grp.h>
#include <pwd.h>
#include <unistd.h>

#include <stdexcept>

namespace sandbox {
namespace {

template <class Lookup> User look_up(const std::string& what, Lookup lookup)
{
    std::string space(1024, '\0');
    passwd entry{};
    passwd* found = nullptr;
    int code;
    while ((code = lookup(&entry, space.data(), space.size(), &found)) == ERANGE && space.size() < (1 << 20)) space.resize(space.size() * 2);
    if (code != 0) throw base::SystemError("look up user " + what, code);
    if (!found) throw std::runtime_error("unknown user " + what);
    return {entry.pw_name, entry.pw_uid, entry.pw_gid, entry.pw_dir, entry.pw_shell, entry.pw_gecos ? entry.pw_gecos : ""};
}

} // namespace

User find_user(const std::string& name)
{
    return look_up(name, [&](auto... rest) { return ::getpwnam_r(name.c_str(), rest...); });
}

User find_user(uid_t uid)
{
    return look_up(std::to_string(uid), [&](auto... rest) { return ::getpwuid_r(uid, rest...); });
}

void become(const User& user, bool supplementary)
{
    if (::geteuid() != 0) {
        if (::geteuid() != user.uid) throw base::SystemError(fmt::format("become {}", user.name), EPERM);
        return;
    }
    int groups = supplementary ? ::initgroups(user.name.c_str(), user.gid) : ::setgroups(1, &user.gid);
    if (groups != 0) throw base::SystemError("set groups of " + user.name);
    if (::setresgid(user.gid, user.gid, user.gid) != 0) throw base::SystemError("set group of " + user.name);
    if (::setresuid(user.uid, user.uid, user.uid) != 0) throw base::SystemError("become " + user.name);
    if (user.uid != 0 && (::setuid(0) == 0 || ::geteuid() != user.uid || ::getuid() != user.uid))
        throw base::SystemError(fmt::format("become {}: the way back is open", user.name), EPERM);
}

} // namespace sandbox
