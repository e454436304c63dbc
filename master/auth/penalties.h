// penalties: who guesses passwords waits longer and longer: 0, 2, 4, 8, then 15 seconds before each check, counted by client address as
// Dovecot's anvil does. The same wrong password again is no guess, and makes it no longer.
#pragma once

#include "base/clock.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace auth {

class Penalties {
public:
    // How long the next check for this address has to wait from now on. Zero for strangers, and for what is no address.
    base::Duration wait(std::string_view ip, base::Steady now);
    // attempt: the same for the same name and password.
    void failed(std::string_view ip, size_t attempt, base::Steady now);
    void succeeded(std::string_view ip);
    size_t size() const { return addresses_.size(); }

private:
    struct Penalty {
        unsigned failures = 0;
        base::Steady last{};
        std::vector<size_t> attempts; // the latest
    };
    void make_room(base::Steady now);

    std::unordered_map<std::string, Penalty> addresses_; // by network-order bytes; IPv6 by its first 48 bits
};

} // namespace auth
