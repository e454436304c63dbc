// destination: what waits for one next hop. Messages take turns, group by group, so that one recipient does not wait behind a list of
// ten thousand.
#pragma once

#include "concurrency.h"
#include "message.h"

#include "base/clock.h"

#include <deque>
#include <list>
#include <optional>
#include <unordered_map>

namespace qmgr {

class Destination {
public:
    Destination(std::string name, const ConcurrencyRules& rules) : name(std::move(name)), concurrency(rules) {}

    bool empty() const { return turns_.empty(); }
    void push(Group group);
    void push_front(Group group);           // given back: it goes next
    Group pop();
    size_t withdraw(const Message& message);
    std::vector<Group> take_all();

    const std::string name;
    Concurrency concurrency;
    int64_t in_flight = 0;
    std::optional<base::Steady> dead_until;
    std::string dead_reason, dead_dsn;
    std::optional<base::Steady> not_before;  // rate delay
    bool in_turn = false;

private:
    struct Waiting {
        const Message* message;
        std::deque<Group> groups;
    };
    std::list<Waiting> turns_;
    std::unordered_map<const Message*, std::list<Waiting>::iterator> by_message_;
};

} // namespace qmgr
