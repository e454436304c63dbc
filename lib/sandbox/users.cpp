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

std::optional<gid_t> find_group(const std::string& name)
{
    std::string space(65536, '\0');
    group entry{};
    group* found = nullptr;
    if (int code = ::getgrnam_r(name.c_str(), &entry, space.data(), space.size(), &found); code != 0)
        throw base::SystemError("look up group " + name, code);
    if (!found) return std::nullopt;
    return entry.gr_gid;
}

std::vector<gid_t> groups_of(const User& user)
{
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    while (::getgrouplist(user.name.c_str(), user.gid, groups.data(), &count) < 0) {
        if (groups.size() >= 65536) throw base::SystemError("groups of " + user.name, E2BIG);
        groups.resize(groups.size() * 2);
        count = static_cast<int>(groups.size());
    }
    groups.resize(static_cast<size_t>(count));
    return groups;
}

void become(const User& user, bool supplementary, std::optional<gid_t> also)
{
    std::vector<gid_t> groups{user.gid};
    if (supplementary && ::geteuid() == 0) groups = groups_of(user);
    if (also) groups.push_back(*also);
    become(user, groups);
}

void become(const User& user, const std::vector<gid_t>& groups)
{
    if (::geteuid() != 0) {
        if (::geteuid() != user.uid) throw base::SystemError(fmt::format("become {}", user.name), EPERM);
        return;
    }
    if (::setgroups(groups.size(), groups.data()) != 0) throw base::SystemError("set groups of " + user.name);
    if (::setresgid(user.gid, user.gid, user.gid) != 0) throw base::SystemError("set group of " + user.name);
    if (::setresuid(user.uid, user.uid, user.uid) != 0) throw base::SystemError("become " + user.name);
    if (user.uid != 0 && (::setuid(0) == 0 || ::geteuid() != user.uid || ::getuid() != user.uid))
        throw base::SystemError(fmt::format("become {}: the way back is open", user.name), EPERM);
}

} // namespace sandbox
