#include "users.h"

#include "async/offload.h"
#include "base/error.h"

namespace local_delivery {
namespace {

constexpr std::chrono::seconds remembered{10}, missing_remembered{1};
constexpr size_t most = 20'000;

template <class Key> std::optional<sandbox::User> look_up(const Key& key)
{
    try {
        return sandbox::find_user(key);
    } catch (const base::SystemError& failure) {
        // getpwnam(3): some name services say "not found" by an error.
        for (int code : {ENOENT, ESRCH, EBADF, EPERM})
            if (failure.code() == code) return std::nullopt;
        throw;
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

} // namespace

const Users::Known* Users::known(const std::string& key) const
{
    auto found = known_.find(key);
    return found != known_.end() && found->second.until > base::steady_now() ? &found->second : nullptr;
}

void Users::remember(const std::string& key, const std::optional<sandbox::User>& user)
{
    if (known_.size() >= most) known_.clear();
    known_[key] = {user, base::steady_now() + (user ? remembered : missing_remembered)};
}

async::Task<std::optional<sandbox::User>> Users::find(std::string name)
{
    if (name.empty() || name[0] == '#' || name.find('\0') != name.npos) co_return std::nullopt;
    if (const Known* user = known(name)) co_return user->user;
    auto work = [name] { return look_up(name); };
    auto user = co_await async::offload(std::move(work));
    remember(name, user);
    co_return user;
}

async::Task<std::optional<sandbox::User>> Users::find(uid_t uid)
{
    std::string key = "#" + std::to_string(uid);
    if (const Known* user = known(key)) co_return user->user;
    auto work = [uid] { return look_up(uid); };
    auto user = co_await async::offload(std::move(work));
    remember(key, user);
    co_return user;
}

async::Task<std::vector<gid_t>> Users::groups_of(uid_t uid, gid_t gid)
{
    auto work = [uid, gid] {
        auto user = look_up(uid);
        if (!user) return std::vector<gid_t>{gid};
        user->gid = gid;
        return sandbox::groups_of(*user);
    };
    auto groups = co_await async::offload(std::move(work));
    co_return groups;
}

} // namespace local_delivery
