// probe: what local would do with mail for an address. Nobody's .forward file is read: whoever has a mailbox can be written to.
#include "probe.h"

#include "base/text.h"
#include "names.h"
#include "pass.h"

#include <fmt/format.h>

namespace local_delivery {
namespace {

constexpr size_t longest_value = 200;

std::optional<Report> by_alias(Agent& agent, const Parts& parts)
{
    for (const auto& name : {parts.local, parts.user}) {
        if (name.empty()) continue;
        if (auto alias = agent.aliases.find(name)) return delivered(fmt::format("aliased to {}", base::printable(alias->value, longest_value)));
    }
    return std::nullopt;
}

std::string first_of(maps::Maps& tables, const std::string& otherwise, const Parts& parts) { return tables.find(parts.user).value_or(otherwise); }

Report of_user(Agent& agent, const Parts& parts)
{
    std::string command = first_of(agent.mailbox_commands, agent.config.mailbox_command, parts);
    if (!command.empty()) return delivered(fmt::format("delivers to command: {}", base::printable(command, longest_value)));
    const config::Config& config = agent.config;
    const std::string& place = config.home_mailbox.empty() ? config.mail_spool_directory : config.home_mailbox;
    return delivered(place.ends_with('/') && !config.home_mailbox.empty() ? "delivers to maildir" : "delivers to mailbox");
}

struct Verdict {
    Report report;
    bool logged = false;    // by the agent that was asked
};

async::Task<Verdict> ask_other(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, std::string service)
{
    Verdict verdict;
    verdict.report = co_await pass_on(agent, job, recipient, recipient.address, job.sender, std::move(service));
    verdict.logged = true;
    co_return verdict;
}

async::Task<Verdict> look(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient)
{
    Parts parts = parts_of(recipient.address, agent.config);
    if (auto aliased = by_alias(agent, parts)) co_return Verdict{*aliased};
    std::string transport = first_of(agent.mailbox_transports, agent.config.mailbox_transport, parts);
    if (transport.empty()) {
        auto user = co_await agent.users.find(parts.user);
        if (user) co_return Verdict{of_user(agent, parts)};
        transport = first_of(agent.fallback_transports, agent.config.fallback_transport, parts);
    }
    if (!transport.empty()) {
        Verdict asked = co_await ask_other(agent, job, recipient, std::move(transport));
        co_return asked;
    }
    if (!agent.config.luser_relay.empty())
        co_return Verdict{delivered(fmt::format("forwards to {}", fill_in(agent.config.luser_relay, parts, nullptr, {})))};
    // RFC 5321 4.5.1: postmaster must not be refused.
    if (parts.user == "postmaster" || parts.user == "mailer-daemon") co_return Verdict{delivered("discarded")};
    co_return Verdict{bounced("5.1.1", fmt::format("unknown user: \"{}\"", base::printable(parts.user, longest_value)))};
}

} // namespace

async::Task<spool::Outcome> probe_local(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient)
{
    spool::Timing timing;
    Verdict verdict;
    std::string trouble;
    try {
        verdict = co_await look(agent, job, recipient);
    } catch (const std::exception& failure) {
        trouble = failure.what();
    }
    if (!trouble.empty()) verdict.report = deferred("4.3.0", trouble);
    auto outcome = outcome_of(recipient, verdict.report);
    if (!verdict.logged) spool::log_delivery(job, recipient, outcome, agent.service, timing);
    co_return outcome;
}

} // namespace local_delivery
