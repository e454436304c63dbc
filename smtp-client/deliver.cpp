#include "deliver.h"

#include "base/log.h"
#include "delivery.h"
#include "transaction.h"

#include <algorithm>

namespace smtp_client {
namespace {

constexpr uint16_t smtps_port = 465;

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

// Under which name a connection is kept: those that are logged in for one sender are no good for another.
std::string kept_for(const Settings& settings, const std::string& place, const std::string& sender)
{
    return settings.sasl.by_sender ? place + '\n' + sender : place;
}

// True when the session was of use; false when it was stale and nothing has happened.
async::Task<bool> use(Agent& agent, std::unique_ptr<Session> session, Delivery& delivery, std::string nexthop,
                      Attempts& attempts)
{
    if (session->uses > 0) delivery.timing.connected = base::wall_now();
    std::string host = session->host.full_with_port();
    session->queue_id = delivery.job.queue_id;
    Ending ending = co_await transact(*session, delivery, agent.context);
    if (ending == Ending::stale) co_return false;
    ++attempts.sessions;
    attempts.tried.push_back(std::move(host));
    if (ending == Ending::reusable)
        agent.connections.keep(std::move(session), nexthop, kept_for(agent.context.settings, nexthop, delivery.job.sender));
    co_return true;
}

async::Task<> use_kept(Agent& agent, Delivery& delivery, const std::string& nexthop, Attempts& attempts)
{
    std::string key = kept_for(agent.context.settings, nexthop, delivery.job.sender);
    while (auto session = agent.connections.take_for(key)) {
        bool used = co_await use(agent, std::move(session), delivery, nexthop, attempts);
        if (used) co_return;
    }
}

// A session that was opened for another domain is as good for this one, unless its certificate was looked at, or the
// domain chose what we are called there.
bool may_share(const Agent& agent)
{
    const TlsSettings& tls = agent.context.settings.tls;
    bool any_level = tls.level == tls::Level::none || tls.level == tls::Level::may || tls.level == tls::Level::encrypt;
    return any_level && agent.context.tables->tls_policy.empty() && !agent.context.settings.sasl.enabled;
}

async::Task<Opened> open_with_fallback(Agent& agent, Host host, Purpose purpose)
{
    Opened opened = co_await open_session(agent.context, host, purpose);
    // RFC 7435 3: opportunistic means that mail goes through.
    if (!opened.session && opened.tls_failed) {
        purpose.use_tls = false;
        opened = co_await open_session(agent.context, std::move(host), std::move(purpose));
    }
    co_return opened;
}

// False when there is no point in trying other hosts.
async::Task<bool> try_host(Agent& agent, Delivery& delivery, Host host, Purpose purpose, Attempts& attempts)
{
    std::string full = host.full_with_port();
    while (may_share(agent)) {
        auto kept = agent.connections.take_host(full);
        if (!kept) break;
        bool used = co_await use(agent, std::move(kept), delivery, purpose.destination, attempts);
        if (used) co_return true;
    }
    std::string nexthop = purpose.destination;
    purpose.use_tls = purpose.policy.level != tls::Level::none && !host.address.is_unix();
    Opened opened = co_await open_with_fallback(agent, std::move(host), std::move(purpose));
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

Purpose purpose_of(Agent& agent, const spool::Deliver& job, const Destination& destination, const std::string& nexthop)
{
    Purpose purpose;
    purpose.nexthop = destination.name;
    purpose.destination = nexthop;
    purpose.queue_id = job.queue_id;
    purpose.sender = job.sender;
    purpose.age = std::chrono::duration_cast<async::Limit>(std::chrono::microseconds(job.active - job.arrival));
    purpose.policy = tls_policy(agent.context.settings.tls, agent.context.tables->tls_policy, nexthop);
    return purpose;
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
    Purpose purpose = purpose_of(agent, delivery.job, *destination, nexthop);
    purpose.detect_loop = hosts.detect_loop;
    if (purpose.policy.problem && destination->kind != Destination::unix_socket) {
        base::log::warning("TLS policy lookup for {}/{}: {}", nexthop, hosts.list[0].name, purpose.policy.problem->text);
        delivery.unreached(*purpose.policy.problem);
        co_return;
    }
    if (destination->port == smtps_port && !settings.tls.wrappermode && !settings.lmtp)
        base::log::info("SMTPS wrappermode (TCP port 465) requires setting \"smtp_tls_wrappermode = yes\", and "
                        "\"smtp_tls_security_level = encrypt\" (or stronger)");
    cut_to_limit(hosts.list, settings);
    for (const auto& host : hosts.list) {
        if (delivery.open_count() == 0 || session_limit_reached(attempts, settings)) co_return;
        if (attempts.has_tried(host.full_with_port())) continue;
        delivery.log_postponed();
        bool go_on = co_await try_host(agent, delivery, host, purpose, attempts);
        if (!go_on) co_return;
    }
}

} // namespace

async::Task<spool::Done> deliver(Agent& agent, const spool::Deliver& job)
{
    const Settings& settings = agent.context.settings;
    Delivery delivery(job, settings.lmtp && settings.assume_final, agent.context.tables.get());
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
