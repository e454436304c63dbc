// source_shadow: system users by shadow(5), for who wants no PAM.
#include "source.h"

#include "async/offload.h"
#include "base/clock.h"
#include "base/error.h"
#include "system_users.h"

#include <shadow.h>

namespace auth {
namespace {

constexpr int64_t day = 24 * 3600;

// shadow(5): days since 1970; negative is "never".
bool expired(const spwd& entry, int64_t today)
{
    if (entry.sp_expire > 0 && today >= entry.sp_expire) return true;
    if (entry.sp_lstchg <= 0 || entry.sp_max < 0 || entry.sp_inact < 0) return false;
    return today > entry.sp_lstchg + entry.sp_max + entry.sp_inact;
}

std::optional<FileUser> find_shadow(const std::vector<std::string>& names)
{
    auto user = find_system_user(names);
    if (!user) return std::nullopt;
    std::vector<char> space(1 << 16);
    spwd entry{};
    spwd* found = nullptr;
    int error = ::getspnam_r(user->name.c_str(), &entry, space.data(), space.size(), &found);
    if (error != 0 && error != ENOENT) throw base::SystemError("shadow entry of " + user->name, error);
    if (!found || !found->sp_pwdp) return std::nullopt;
    FileUser result;
    result.name = user->name;
    result.password = found->sp_pwdp;
    result.uid = user->uid;
    result.gid = user->gid;
    result.home = user->home;
    if (expired(*found, base::unix_seconds(base::wall_now()) / day)) result.extra["nologin"] = "yes";
    return result;
}

class Shadow final : public Source {
public:
    async::Task<std::optional<FileUser>> look_up(std::vector<std::string> names) override
    {
        auto work = [names = std::move(names)] { return find_shadow(names); };
        std::optional<FileUser> user = co_await async::offload(std::move(work));
        co_return user;
    }
};

} // namespace

std::unique_ptr<Source> shadow_source() { return std::make_unique<Shadow>(); }

} // namespace auth
