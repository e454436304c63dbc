#include "connections.h"

#include "base/log.h"

namespace smtp_client {
namespace {

constexpr size_t most_idle = 300;

} // namespace

std::unique_ptr<Session> Connections::take_for(const std::string& key) { return take_from(by_key_, key); }

std::unique_ptr<Session> Connections::take_host(const std::string& host_with_port)
{
    return take_from(by_host_, host_with_port);
}

std::unique_ptr<Session> Connections::take_from(const Index& index, const std::string& key)
{
    auto found = index.find(key);
    return found == index.end() ? nullptr : take(found->second);
}

std::unique_ptr<Session> Connections::take(Place place)
{
    forget(by_key_, place->key, place);
    forget(by_host_, place->host, place);
    auto session = std::move(place->session);
    idle_.erase(place);
    return session;
}

void Connections::forget(Index& index, const std::string& key, Place place)
{
    auto [first, last] = index.equal_range(key);
    for (auto each = first; each != last; ++each) {
        if (each->second != place) continue;
        index.erase(each);
        return;
    }
}

bool Connections::is_wanted(const std::string& nexthop)
{
    if (settings_.keep_connections) return true;
    try {
        return keep_for_.matches(nexthop);
    } catch (const maps::Unavailable& trouble) {
        base::log::warning("{}", trouble.what());
        return false;
    }
}

void Connections::keep(std::unique_ptr<Session> session, const std::string& nexthop, const std::string& key)
{
    auto now = base::steady_now();
    bool worn_out = now - session->opened > settings_.keep_in_use ||
                    (settings_.keep_uses > 0 && session->uses >= settings_.keep_uses);
    if (!session->may_be_kept || worn_out || settings_.keep_idle.count() <= 0 || !is_wanted(nexthop))
        return dismiss(std::move(session));
    if (idle_.size() >= most_idle) dismiss(take(idle_.begin()));
    Idle idle;
    idle.key = key;
    idle.host = session->host.full_with_port();
    idle.session = std::move(session);
    idle.until = now + settings_.keep_idle;
    idle_.push_back(std::move(idle));
    auto place = std::prev(idle_.end());
    by_key_.emplace(place->key, place);
    by_host_.emplace(place->host, place);
    watch_oldest();
}

void Connections::dismiss(std::unique_ptr<Session> session)
{
    goodbyes_.start(say_goodbye(std::move(session), !settings_.skip_quit_reply, settings_.quit_timeout));
}

void Connections::dismiss_all()
{
    while (!idle_.empty()) dismiss(take(idle_.begin()));
}

void Connections::dismiss_old()
{
    auto now = base::steady_now();
    while (!idle_.empty() && idle_.front().until <= now) dismiss(take(idle_.begin()));
    watch_oldest();
}

void Connections::watch_oldest()
{
    if (timer_runs_ || idle_.empty()) return;
    timer_runs_ = true;
    auto left = std::chrono::duration_cast<async::Limit>(idle_.front().until - base::steady_now());
    auto due = [](void* self) {
        static_cast<Connections*>(self)->timer_runs_ = false;
        static_cast<Connections*>(self)->dismiss_old();
    };
    timer_.start(std::max(left, async::Limit(0)) + async::Limit(1), due, this);
}

} // namespace smtp_client
