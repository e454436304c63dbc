#include "deliver.h"

#include "base/log.h"
#include "delivery.h"
#include "transaction.h"

#include <algorithm>

namespace smtp_client {
namespace {

// How far one delivery came with its hosts.
struct Attempts {
    size_t sessions = 0;            // that took our MAIL
    std::vector<std::string> tried; // hosts with port
    bool has_tried(const std::string& host) const { return std::find(tried.begin(), tried.end(), host) != tried.end(); }
};

bool session_limit_reached(const Attempts& attempts, const Settings& settings)
{
    return settings.session_limit > 0 && attempts.sessions >= settings.session_limit;
}

// True when the session was of use; false when it was stale and nothing has happened.
async::Task<bool> use(Agent& agent, std::unique_ptr<Session> session, Delivery& delivery, std::string nexthop,
                      Attempts& attempts)
{
    if (session->uses > 0) delivery.timing.connected = base::wall_now();
    std::string host = session->host.full_with_port();
    Ending ending = co_await transact(*session, delivery, agent.context.settings);
    if (ending == Ending::stale) co_return false;
    ++attempts.sessions;
    attempts.tried.push_back(std::move(host));
    if (ending == Ending::reusable) agent.connections.keep(std::move(session), nexthop);
    co_return true;
}

async::Task<> use_kept(Agent& agent, Delivery& delivery, const std::string& nexthop, Attempts& attempts)
{
    while (auto session = agent.connections.take_for(nexthop)) {
        bool used = co_await use(agent, std::move(session), delivery, nexthop, attempts);
        if (used) co_return;
    }
}

// A session under TLS that was opened for another domain is as good for this one, unless its certificate was looked at.
bool may_share(const Settings& settings)
{
    return settings.tls.level == tls::Level::none || settings.tls.level == tls::Level::may ||
           settings.tls.level == tls::Level::encrypt;
}

async::Task<Opened> open_with_fallback(Agent& agent, Host host, std::string name, bool detect_loop)
{
    const Settings& settings = agent.context.settings;
    bool use_tls = settings.tls.level != tls::Level::none && !host.address.is_unix();
    Opened opened = co_await open_session(agent.context, host, name, detect_loop, use_tls);
    // RFC 7435 3: opportunistic means that mail goes through.
    if (!opened.session && opened.tls_failed && settings.tls.level == tls::Level::may)
        opened = co_await open_session(agent.context, host, name, detect_loop, false);
    co_return opened;
}

// False when there is no point in trying other hosts.
async::Task<bool> try_host(Agent& agent, Delivery& delivery, Host host, const Destination& destination,
                           std::string nexthop, bool detect_loop, Attempts& attempts)
{
    std::string full = host.full_with_port();
    while (may_share(agent.context.settings)) {
        auto kept = agent.connections.take_host(full);
        if (!kept) break;
        bool used = co_await use(agent, std::move(kept), delivery, nexthop, attempts);
        if (used) co_return true;
    }
    Opened opened = co_await open_with_fallback(agent, std::move(host), destination.name, detect_loop);
    if (!opened.session) {
        if (!opened.connected) base::log::info("{}", opened.problem.text);
        delivery.unreached(opened.problem, opened.connected ? full : "none");
        attempts.tried.push_back(std::move(full));
        co_return !opened.problem.permanent();
    }
    delivery.timing.connected = base::wall_now();
    co_await use(agent, std::move(opened.session), delivery, std::move(nexthop), attempts);
    co_return true;
}

async::Task<> try_destination(Agent& agent, Delivery& delivery, std::string nexthop, Attempts& attempts)
{
    const Settings& settings = agent.context.settings;
    auto destination = parse_destination(nexthop, settings.port, settings.mx_lookup);
    if (!destination) {
        base::log::warning("{}: \"{}\" is no destination", delivery.job.queue_id, nexthop);
        delivery.unreached(deferred("4.3.5", "mail system configuration error"));
        co_return;
    }
    Hosts hosts = co_await find_hosts(*destination, agent.context.resolver, settings);
    if (hosts.list.empty()) {
        delivery.unreached(hosts.problem);
        co_return;
    }
    cut_to_limit(hosts.list, settings);
    for (const auto& host : hosts.list) {
        if (delivery.open_count() == 0 || session_limit_reached(attempts, settings)) co_return;
        if (attempts.has_tried(host.full_with_port())) continue;
        bool go_on = co_await try_host(agent, delivery, host, *destination, nexthop, hosts.detect_loop, attempts);
        if (!go_on) co_return;
    }
}

} // namespace

async::Task<spool::Done> deliver(Agent& agent, const spool::Deliver& job)
{
    const Settings& settings = agent.context.settings;
    Delivery delivery(job, settings.lmtp);
    Attempts attempts;
    co_await use_kept(agent, delivery, job.nexthop, attempts);
    if (delivery.open_count() > 0 && !session_limit_reached(attempts, settings))
        co_await try_destination(agent, delivery, job.nexthop, attempts);
    for (const auto& relay : settings.fallback_relays) {
        if (delivery.open_count() == 0 || session_limit_reached(attempts, settings)) break;
        co_await try_destination(agent, delivery, relay, attempts);
    }
    co_return delivery.finish();
}

} // namespace smtp_client
