#include "virtual_mailbox.h"

#include "base/log.h"
#include "base/text.h"
#include "maps/address_search.h"

#include <fmt/format.h>

#include <limits>

namespace local_delivery {
namespace {

std::optional<std::string> find(Agent& agent, maps::Maps& tables, const std::string& address)
{
    maps::AddressSearch search;
    search.forms = maps::form::full | maps::form::no_extension | maps::form::at_domain;
    search.extension = {agent.config.recipient_delimiter, agent.config.owner_request_special};
    auto hit = maps::find_address(tables, address, search);
    if (!hit) return std::nullopt;
    return hit->value;
}

Report misconfigured(const std::string& why)
{
    base::log::warning("{}", why);
    return deferred("4.3.5", "mail system configuration error");
}

// An id out of a table, or why there is none that may be used.
struct Id {
    std::optional<uint32_t> id;
    std::string problem;
};

Id find_id(Agent& agent, maps::Maps& tables, const std::string& address, int64_t lowest, const char* kind)
{
    auto value = find(agent, tables, address);
    if (!value) return {std::nullopt, fmt::format("recipient {}: not found in virtual_{}_maps", address, kind)};
    auto id = base::number<uint32_t>(base::trim(*value));
    if (id && *id >= lowest && *id != std::numeric_limits<uint32_t>::max()) return {id, {}};
    return {std::nullopt, fmt::format("recipient {}: bad {} {} in virtual_{}_maps", address, kind, base::printable(*value, 100), kind)};
}

bool leads_out(const std::string& path)
{
    for (auto part : base::split(path, "/"))
        if (part == "..") return true;
    return path.find('\0') != path.npos;
}

async::Task<Report> deliver_one(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient)
{
    const config::Config& config = agent.config;
    auto mailbox = find(agent, agent.virtual_mailboxes, recipient.address);
    if (!mailbox) co_return bounced("5.1.1", fmt::format("unknown user: \"{}\"", base::printable(recipient.address, 300)));
    Id user = find_id(agent, agent.virtual_uids, recipient.address, config.virtual_minimum_uid, "uid");
    if (!user.id) co_return misconfigured(user.problem);
    Id group = find_id(agent, agent.virtual_gids, recipient.address, 1, "gid");
    if (!group.id) co_return misconfigured(group.problem);
    std::string path = fmt::format("{}/{}", config.virtual_mailbox_base, base::trim(*mailbox));
    if (!path.starts_with('/') || leads_out(path))
        co_return misconfigured(fmt::format("recipient {}: mailbox {} is outside of virtual_mailbox_base", recipient.address, base::printable(path)));

    if (job.probe) co_return delivered(path.ends_with('/') ? "delivers to maildir" : "delivers to mailbox");
    Order order = order_for(job, Order::mailbox);
    order.path = std::move(path);
    order.user = recipient.address;
    order.loop_address = recipient.address;
    order.header = delivery_header(job.sender, recipient, recipient.address, config);
    order.size_limit = static_cast<uint64_t>(config.virtual_mailbox_limit);
    if (config.strict_mailbox_ownership) order.owner = *user.id;
    Identity who{*user.id, *group.id, false, false, {}};
    Answer answer = co_await agent.workers.ask(who, std::move(order));
    co_return std::move(answer.report);
}

} // namespace

async::Task<spool::Done> deliver_virtual(Agent& agent, const spool::Deliver& job)
{
    spool::Done done;
    for (const spool::Recipient& recipient : job.recipients) {
        spool::Timing timing;
        Report report;
        try {
            report = co_await deliver_one(agent, job, recipient);
        } catch (const maps::Unavailable& failure) {
            report = deferred("4.3.0", failure.what());
        }
        report = agent.status_filter.apply(std::move(report));
        auto outcome = outcome_of(recipient, report);
        spool::log_delivery(job, recipient, outcome, agent.service, timing);
        done.outcomes.push_back(std::move(outcome));
    }
    co_return done;
}

} // namespace local_delivery
