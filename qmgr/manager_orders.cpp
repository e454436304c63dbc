// manager_orders: what people ask of single messages by postsuper and postqueue: remove, hold, release, requeue, flush, expire.
#include "manager.h"

#include "base/fd.h"

namespace qmgr {

bool Manager::remove(const std::string& id)
{
    auto found = active_.find(id);
    if (found == active_.end()) {
        auto place = folders_.find(id);
        return place && folders_.remove(*place, id);
    }
    Message& message = *found->second;
    message.deleted = true;
    for (auto& [name, transport] : transports_) message.open_groups -= transport->withdraw(message);
    if (message.open_groups == 0) finish(message);
    return true;
}

bool Manager::hold(const std::string& id)
{
    auto found = active_.find(id);
    if (found == active_.end()) {
        auto place = folders_.find(id);
        if (!place || place->queue == spool::Queue::hold || place->queue == spool::Queue::corrupt) return false;
        folders_.move(*place, {spool::Queue::hold}, id);
        return true;
    }
    // What is being delivered goes on; what is left afterwards is held.
    Message& message = *found->second;
    message.hold = true;
    for (auto& [name, transport] : transports_) message.open_groups -= transport->withdraw(message);
    if (message.open_groups == 0) finish(message);
    return true;
}

bool Manager::release(const std::string& id)
{
    if (!base::exists(folders_.path({spool::Queue::hold}, id))) return false;
    return activate({spool::Queue::hold}, id);
}

bool Manager::requeue(const std::string& id)
{
    if (active_.count(id)) return true;
    auto place = folders_.find(id);
    return place && activate(*place, id);
}

bool Manager::flush(const std::string& id)
{
    if (active_.count(id)) return true;
    auto place = folders_.find(id);
    return place && place->queue != spool::Queue::hold && place->queue != spool::Queue::corrupt && activate(*place, id);
}

bool Manager::expire(const std::string& id)
{
    auto found = active_.find(id);
    if (found != active_.end()) {
        force_expiry(*found->second);
        return true;
    }
    auto place = folders_.find(id);
    if (!place || place->queue == spool::Queue::corrupt || !activate(*place, id)) return false;
    if (auto again = active_.find(id); again != active_.end()) force_expiry(*again->second);
    return true;
}

void Manager::force_expiry(Message& message)
{
    message.forced_expiry = true;
    append(message, {spool::Event{spool::RecordType::forced_expiry, 0, now_seconds(), "", "", ""}});
}

void Manager::flush_destinations()
{
    for (auto& [name, transport] : transports_) transport->forget_dead_destinations();
}

} // namespace qmgr
