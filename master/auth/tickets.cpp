#include "tickets.h"

namespace auth {

void Tickets::keep(const sasl::Ticket& ticket, sasl::UserRecord user, base::Steady now)
{
    forget_old(now);
    std::string name = ticket.text();
    kept_[name] = Kept{std::move(user), now + lifetime};
    ages_.push_back(Age{std::move(name), now + lifetime});
    while (ages_.size() > most) {
        kept_.erase(ages_.front().name);
        ages_.pop_front();
    }
}

std::optional<sasl::UserRecord> Tickets::redeem(const sasl::Ticket& ticket, base::Steady now)
{
    forget_old(now);
    auto found = kept_.find(ticket.text());
    if (found == kept_.end()) return std::nullopt;
    Kept kept = std::move(found->second);
    kept_.erase(found);
    if (now >= kept.until) return std::nullopt;
    return std::move(kept.user);
}

void Tickets::forget_old(base::Steady now)
{
    for (; !ages_.empty() && now >= ages_.front().until; ages_.pop_front()) {
        auto found = kept_.find(ages_.front().name);
        if (found != kept_.end() && now >= found->second.until) kept_.erase(found);
    }
}

} // namespace auth
