#include "destination.h"

namespace qmgr {

void Destination::push(Group group)
{
    auto found = by_message_.find(group.message);
    if (found == by_message_.end()) {
        turns_.push_back({group.message, {}});
        found = by_message_.emplace(group.message, std::prev(turns_.end())).first;
    }
    found->second->groups.push_back(std::move(group));
}

void Destination::push_front(Group group)
{
    auto found = by_message_.find(group.message);
    if (found == by_message_.end()) {
        turns_.push_front({group.message, {}});
        found = by_message_.emplace(group.message, turns_.begin()).first;
    }
    found->second->groups.push_front(std::move(group));
}

Group Destination::pop()
{
    auto first = turns_.begin();
    Group group = std::move(first->groups.front());
    first->groups.pop_front();
    if (first->groups.empty()) {
        by_message_.erase(first->message);
        turns_.erase(first);
    } else {
        turns_.splice(turns_.end(), turns_, first);
    }
    return group;
}

size_t Destination::withdraw(const Message& message)
{
    auto found = by_message_.find(&message);
    if (found == by_message_.end()) return 0;
    size_t count = found->second->groups.size();
    turns_.erase(found->second);
    by_message_.erase(found);
    return count;
}

std::vector<Group> Destination::take_all()
{
    std::vector<Group> all;
    while (!empty()) all.push_back(pop());
    return all;
}

} // namespace qmgr
