// tickets: successes that wait for their session stage. Each is given out once, within a minute.
#pragma once

#include "base/clock.h"
#include "sasl/auth_master.h"
#include "sasl/ticket.h"

#include <chrono>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

namespace auth {

class Tickets {
public:
    static constexpr auto lifetime = std::chrono::seconds(60);
    static constexpr size_t most = 10000; // beyond it the oldest go first

    void keep(const sasl::Ticket& ticket, sasl::UserRecord user, base::Steady now);
    // Forgets it, whatever the answer.
    std::optional<sasl::UserRecord> redeem(const sasl::Ticket& ticket, base::Steady now);
    size_t size() const { return kept_.size(); }

private:
    struct Kept {
        sasl::UserRecord user;
        base::Steady until;
    };
    struct Age {
        std::string name;
        base::Steady until;
    };
    void forget_old(base::Steady now);

    std::unordered_map<std::string, Kept> kept_;
    std::deque<Age> ages_; // the oldest first; may name what is gone already
};

} // namespace auth
