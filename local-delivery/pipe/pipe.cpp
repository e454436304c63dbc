#include "pipe/pipe.h"

#include "agent.h"
#include "names.h"
#include "pipe/macros.h"

#include "base/log.h"
#include "base/text.h"

#include <fmt/format.h>

#include <unistd.h>

#include <algorithm>

namespace local_delivery {
namespace {

// A command out of master.cf sees strangers' mail: it must have nothing to win there.
Identity identity_of(const PipeAttributes& attributes, const config::Config& config)
{
    sandbox::User user;
    try {
        user = sandbox::find_user(attributes.user);
    } catch (const std::runtime_error& failure) {
        throw config::Error(fmt::format("user={}: {}", attributes.user, failure.what()));
    }
    Identity who{user.uid, user.gid, false, true, attributes.chroot};
    if (!attributes.group.empty()) {
        auto gid = sandbox::find_group(attributes.group);
        if (!gid) throw config::Error(fmt::format("user={}:{}: there is no such group", attributes.user, attributes.group));
        who.gid = *gid;
    }
    if (::geteuid() != 0) return who;
    if (who.uid == 0) throw config::Error("user= command-line attribute specifies root privileges");
    if (who.gid == 0) throw config::Error("user= command-line attribute specifies privileged group id 0");
    for (const auto& name : {config.mail_owner, config.null_owner}) {
        try {
            sandbox::User owner = sandbox::find_user(name);
            if (owner.uid == who.uid) throw config::Error(fmt::format("user= command-line attribute specifies mail system owner {}", name));
            if (owner.gid == who.gid) throw config::Error(fmt::format("user= command-line attribute specifies mail system group of {}", name));
        } catch (const config::Error&) {
            throw;
        } catch (const std::runtime_error&) {
            // who is not there has no rights to misuse
        }
    }
    if (auto gid = sandbox::find_group(config.setgid_group); gid && *gid == who.gid)
        throw config::Error(fmt::format("user= command-line attribute specifies mail system {} group", config.setgid_group));
    return who;
}

std::string header_for(const PipeAttributes& attributes, const spool::Deliver& job, const config::Config& config)
{
    std::string header;
    const spool::Recipient& recipient = job.recipients.front();
    if (attributes.return_path) header += return_path_field(job.sender.empty() ? attributes.null_sender : job.sender);
    if (attributes.original_to) header += original_to_field(recipient, config);
    if (attributes.delivered_to) header += delivered_to_field(recipient.address);
    return header;
}

Order order_of(PipeAgent& agent, const spool::Deliver& job)
{
    const PipeAttributes& attributes = agent.attributes;
    Order order = order_for(job, Order::command);
    order.words = pipe_command_line(attributes, job, agent.config.recipient_delimiter, agent.config.owner_request_special);
    order.path = order.words.empty() ? "" : order.words.front();
    order.program = "pipe: fatal: pipe_command";
    order.success = fmt::format("delivered via {} service", agent.service);
    order.folder = attributes.directory;
    order.time_limit = static_cast<uint64_t>(agent.time_limit.count());
    order.environment = environment_of_all(agent.config);
    order.header = header_for(attributes, job, agent.config);
    if (job.sender.empty()) order.sender = attributes.null_sender;
    if (attributes.delivered_to) order.loop_address = job.recipients.front().address;
    order.text.from_line = attributes.from_line;
    order.text.blank_line_at_end = attributes.blank_line_at_end;
    order.text.dot_lines = attributes.dot_lines;
    order.text.quote_from = attributes.quote_from;
    order.text.eol = attributes.eol;
    return order;
}

// What can be said without asking the command.
std::optional<Report> refusal(const PipeAgent& agent, const spool::Deliver& job)
{
    const PipeAttributes& attributes = agent.attributes;
    if (attributes.size_limit > 0 && job.content_length > attributes.size_limit) return bounced("5.2.3", "message too large");
    if (job.recipients.size() > 1 && (attributes.delivered_to || attributes.original_to)) {
        base::log::warning("pipe flag '{}' requires {}_destination_recipient_limit = 1", attributes.delivered_to ? 'D' : 'O', agent.service);
        return deferred("4.3.5", "mail system configuration error");
    }
    return std::nullopt;
}

class Turn {
public:
    explicit Turn(PipeAgent& agent) : agent_(agent) {}
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn()
    {
        std::erase(agent_.waiting, &mine_);
        if (taken_) --agent_.commands;
        if (!agent_.waiting.empty()) agent_.waiting.front()->set();
    }
    async::Task<> take()
    {
        agent_.waiting.push_back(&mine_);
        while (agent_.waiting.front() != &mine_ || agent_.commands >= agent_.most_commands) {
            co_await async::wait(mine_);
            mine_.clear();
        }
        agent_.waiting.pop_front();
        ++agent_.commands;
        taken_ = true;
        if (!agent_.waiting.empty()) agent_.waiting.front()->set();
    }

private:
    PipeAgent& agent_;
    async::Flag mine_;
    bool taken_ = false;
};

async::Task<Report> run(PipeAgent& agent, const spool::Deliver& job)
{
    if (auto report = refusal(agent, job)) co_return *report;
    if (job.probe) {
        auto words = pipe_command_line(agent.attributes, job, agent.config.recipient_delimiter, agent.config.owner_request_special);
        co_return delivered(fmt::format("delivers to command: {}", words.empty() ? "" : words.front()));
    }
    Turn turn(agent);
    co_await turn.take();
    Order order = order_of(agent, job);
    Answer answer = co_await agent.workers.ask(agent.identity, std::move(order));
    co_return std::move(answer.report);
}

} // namespace

PipeAgent::PipeAgent(const config::Config& config, std::string service, const std::vector<std::string>& words, const Workers::Limits& limits)
    : config(config), service(std::move(service)), attributes(parse_pipe_attributes(words)), identity(identity_of(attributes, config)),
      time_limit(config.seconds(this->service + "_time_limit")), workers(config, limits),
      status_filter("pipe", config.pipe_delivery_status_filter), most_commands(std::max<size_t>(1, limits.processes))
{
}

async::Task<spool::Done> deliver_by_pipe(PipeAgent& agent, const spool::Deliver& job)
{
    spool::Done done;
    spool::Timing timing;
    if (job.recipients.empty()) co_return done;
    Report report = co_await run(agent, job);
    report = agent.status_filter.apply(std::move(report));
    for (const spool::Recipient& recipient : job.recipients) {
        auto outcome = outcome_of(recipient, report);
        // RFC 3464 2.3.3: what becomes of it beyond the command is not known.
        if (outcome.status == spool::Outcome::delivered && !agent.attributes.final_delivery) outcome.action = "relayed";
        spool::log_delivery(job, recipient, outcome, agent.service, timing);
        done.outcomes.push_back(std::move(outcome));
    }
    co_return done;
}

} // namespace local_delivery
