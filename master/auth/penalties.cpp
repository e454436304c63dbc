#include "penalties.h"

#include "net/address.h"

#include <algorithm>

namespace auth {
namespace {

constexpr auto first_wait = std::chrono::seconds(2);
constexpr auto longest_wait = std::chrono::seconds(15);
constexpr auto lifetime = std::chrono::hours(1);
constexpr size_t most_addresses = 20'000;
constexpr size_t most_attempts = 10; // that are remembered of one address
constexpr size_t ipv6_bytes = 6;     // a site has a /48

// Who shares a penalty; "" for what is no address, and for this machine: webmail's users can't be told apart by it.
std::string place_of(std::string_view ip)
{
    auto address = net::Address::parse_ip(ip, 0);
    if (!address || address->is_loopback()) return {};
    std::string bytes = address->bytes();
    return bytes.size() > 4 ? bytes.substr(0, ipv6_bytes) : bytes;
}

base::Duration wait_after(unsigned failures)
{
    if (failures == 0) return base::Duration::zero();
    base::Duration wait = first_wait;
    for (unsigned i = 1; i < failures && wait < longest_wait; ++i) wait *= 2;
    return std::min<base::Duration>(wait, longest_wait);
}

} // namespace

base::Duration Penalties::wait(std::string_view ip, base::Steady now)
{
    auto found = addresses_.find(place_of(ip));
    if (found == addresses_.end()) return base::Duration::zero();
    if (now - found->second.last >= lifetime) {
        addresses_.erase(found);
        return base::Duration::zero();
    }
    auto wait = wait_after(found->second.failures);
    auto spent = std::chrono::duration_cast<base::Duration>(now - found->second.last);
    return std::max(wait - spent, base::Duration::zero());
}

void Penalties::failed(std::string_view ip, size_t attempt, base::Steady now)
{
    std::string place = place_of(ip);
    if (place.empty()) return;
    if (addresses_.size() >= most_addresses && !addresses_.contains(place)) make_room(now);
    Penalty& penalty = addresses_[place];
    penalty.last = now;
    auto& attempts = penalty.attempts;
    if (std::find(attempts.begin(), attempts.end(), attempt) != attempts.end()) return;
    if (attempts.size() == most_attempts) attempts.erase(attempts.begin());
    attempts.push_back(attempt);
    ++penalty.failures;
}

void Penalties::succeeded(std::string_view ip) { addresses_.erase(place_of(ip)); }

void Penalties::make_room(base::Steady now)
{
    std::erase_if(addresses_, [&](const auto& each) { return now - each.second.last >= lifetime; });
    if (addresses_.size() < most_addresses) return;
    auto oldest = std::min_element(addresses_.begin(), addresses_.end(),
                                   [](const auto& a, const auto& b) { return a.second.last < b.second.last; });
    addresses_.erase(oldest);
}

} // namespace auth
