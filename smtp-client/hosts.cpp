#include "hosts.h"

#include "base/random.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>

namespace smtp_client {
namespace {

constexpr uint16_t smtp_port = 25;
constexpr size_t most_mx_hosts = 20; // whose addresses are asked for; the limit of addresses is lower still

void add_addresses(std::vector<Host>& hosts, const std::string& name, const std::vector<net::Address>& addresses,
                   unsigned preference, uint16_t port)
{
    for (const auto& address : addresses) {
        Host host;
        host.name = name;
        host.address = address;
        host.address.set_port(port);
        host.preference = preference;
        hosts.push_back(std::move(host));
    }
}

Problem loops_back(const std::string& name)
{
    return bounced("5.4.6", fmt::format("mail for {} loops back to myself", name));
}

async::Task<Hosts> hosts_by_address(Destination destination, dns::Resolver& resolver, const Settings& settings)
{
    Hosts found;
    found.detect_loop = !settings.lmtp && destination.port == smtp_port;
    if (auto address = net::Address::parse_ip(destination.name, destination.port)) {
        Host host;
        host.name = destination.name;
        host.address = *address;
        found.list.push_back(std::move(host));
    } else {
        auto answer = co_await resolver.addresses(destination.name, settings.families, settings.hosts_file);
        if (!answer.found()) {
            found.problem = lookup_problem(answer.status, destination.name,
                                           settings.families == dns::Families::ipv4 ? "A" : "AAAA");
            co_return found;
        }
        bool other_name = settings.name_behind_alias && !answer.name.empty();
        add_addresses(found.list, other_name ? answer.name : destination.name, answer.records, 0, destination.port);
    }
    if (found.detect_loop && !drop_own(found.list, settings.own)) found.problem = loops_back(destination.name);
    put_in_order(found.list, settings);
    co_return found;
}

async::Task<Hosts> hosts_by_mx(Destination destination, std::vector<dns::Mx> exchangers, dns::Resolver& resolver,
                               const Settings& settings)
{
    Hosts found;
    found.detect_loop = destination.port == smtp_port;
    bool unsure = false;
    // Equal ones are asked for in no order, so that the limit does not favour any.
    if (exchangers.size() > most_mx_hosts) exchangers.resize(most_mx_hosts);
    for (const auto& mx : exchangers) {
        // RFC 5321 5.1: an address in place of the name has no meaning.
        if (mx.host.empty() || net::Address::parse_ip(mx.host, 0)) continue;
        auto answer = co_await resolver.addresses(mx.host, settings.families, settings.hosts_file);
        if (answer.status == dns::Status::try_again) unsure = true;
        bool other_name = settings.name_behind_alias && !answer.name.empty();
        add_addresses(found.list, other_name ? answer.name : mx.host, answer.records, mx.preference, destination.port);
    }
    if (found.list.empty()) {
        if (unsure)
            found.problem = lookup_problem(dns::Status::try_again, exchangers[0].host, "A");
        else if (settings.defer_without_mx_address)
            found.problem =
                deferred("4.4.4", fmt::format("no MX host for {} has a valid address record", destination.name));
        else
            found.problem = lookup_problem(dns::Status::no_such_domain, exchangers[0].host, "A");
        co_return found;
    }
    if (found.detect_loop && !drop_own(found.list, settings.own)) {
        // A better host than ourselves exists, but has no address today.
        bool primary_missing = unsure;
        found.problem = primary_missing
                            ? deferred("4.4.4", fmt::format("unable to find primary relay for {}", destination.name))
                            : loops_back(destination.name);
    }
    put_in_order(found.list, settings);
    co_return found;
}

} // namespace

std::string Host::full() const
{
    return fmt::format("{}[{}]", name, address.is_unix() ? address.text() : address.ip());
}

std::string Host::full_with_port() const
{
    return address.is_unix() ? full() : fmt::format("{}:{}", full(), address.port());
}

Problem lookup_problem(dns::Status status, const std::string& name, std::string_view type)
{
    auto text = [&](const char* end) {
        return fmt::format("Host or domain name not found. Name service error for name={} type={}: {}", name, type,
                           end);
    };
    if (status == dns::Status::try_again) return deferred("4.4.3", text("Host not found, try again"));
    if (status == dns::Status::no_data)
        return bounced("5.4.4", text("Host found but no data record of requested type"));
    return bounced("5.4.4", text("Host not found"));
}

bool drop_own(std::vector<Host>& hosts, const OwnAddresses& own)
{
    unsigned best = UINT32_MAX;
    for (const auto& each : hosts)
        if (own.has(each.address)) best = std::min(best, each.preference);
    std::erase_if(hosts, [&](const Host& each) { return each.preference >= best; });
    return !hosts.empty();
}

void put_in_order(std::vector<Host>& hosts, const Settings& settings)
{
    if (hosts.size() < 2) return;
    if (settings.randomize) {
        static std::minstd_rand random(static_cast<unsigned>(base::random_below(UINT32_MAX)));
        std::shuffle(hosts.begin(), hosts.end(), random);
    }
    auto family_rank = [&](const Host& host) {
        if (settings.preference == Preference::any) return 0;
        return host.address.is_ipv6() == (settings.preference == Preference::ipv6) ? 0 : 1;
    };
    struct Key {
        unsigned preference;
        int family;
        size_t place;
        auto operator<=>(const Key&) const = default;
    };
    std::vector<std::pair<Key, Host>> keyed;
    for (size_t i = 0; i < hosts.size(); ++i)
        keyed.emplace_back(Key{hosts[i].preference, family_rank(hosts[i]), i}, std::move(hosts[i]));
    std::sort(keyed.begin(), keyed.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    for (size_t i = 0; i < hosts.size(); ++i) hosts[i] = std::move(keyed[i].second);
}

void cut_to_limit(std::vector<Host>& hosts, const Settings& settings)
{
    size_t limit = settings.address_limit;
    if (limit == 0 || hosts.size() <= limit) return;
    bool six = hosts[0].address.is_ipv6();
    auto is_other = [&](const Host& each) { return each.address.is_ipv6() != six; };
    auto middle = hosts.begin() + static_cast<std::ptrdiff_t>(limit);
    // One broken family must not make a reachable destination unreachable.
    if (settings.balance && limit > 1 && std::none_of(hosts.begin(), middle, is_other)) {
        auto other = std::find_if(middle, hosts.end(), is_other);
        if (other != hosts.end()) std::swap(hosts[limit - 1], *other);
    }
    hosts.erase(middle, hosts.end());
}

async::Task<Hosts> find_hosts(Destination destination, dns::Resolver& resolver, const Settings& settings)
{
    if (destination.kind == Destination::unix_socket) {
        Hosts one;
        Host host;
        host.name = settings.myhostname;
        host.address = net::Address::unix_path(destination.name);
        one.list.push_back(std::move(host));
        co_return one;
    }
    if (destination.kind == Destination::host)
        co_return co_await hosts_by_address(std::move(destination), resolver, settings);
    auto answer = co_await resolver.mx(destination.name);
    // RFC 7505 3: the only record is ".".
    if (answer.found() && answer.records.size() == 1 && answer.records[0].host.empty()) {
        Hosts none;
        none.problem = bounced("5.1.10", fmt::format("Domain {} does not accept mail (nullMX)", destination.name));
        co_return none;
    }
    if (answer.found())
        co_return co_await hosts_by_mx(std::move(destination), std::move(answer.records), resolver, settings);
    bool try_address = answer.status == dns::Status::no_data || settings.ignore_mx_error ||
                       (settings.hosts_file && answer.status != dns::Status::found);
    if (try_address) {
        auto found = co_await hosts_by_address(destination, resolver, settings);
        // A failed look-up of the MX is not healed by there being no address.
        if (found.list.empty() && answer.status == dns::Status::try_again)
            found.problem = lookup_problem(answer.status, destination.name, "MX");
        co_return found;
    }
    Hosts none;
    none.problem = lookup_problem(answer.status, destination.name, "MX");
    co_return none;
}

} // namespace smtp_client
