#include "pass.h"

#include "base/log.h"
#include "base/text.h"
#include "ipc/channel.h"
#include "smtp/reply.h"

#include <fmt/format.h>

namespace local_delivery {
namespace {

spool::Deliver copy_of(const spool::Deliver& job)
{
    spool::Deliver copy;
    copy.queue_id = job.queue_id;
    if (job.file) copy.file = job.file.duplicate();
    copy.probe = job.probe;
    copy.content_offset = job.content_offset;
    copy.content_length = job.content_length;
    copy.content_flags = job.content_flags;
    copy.envid = job.envid;
    copy.ret = job.ret;
    copy.arrival = job.arrival;
    copy.active = job.active;
    copy.client_name = job.client_name;
    copy.client_address = job.client_address;
    copy.helo = job.helo;
    copy.protocol = job.protocol;
    copy.client_port = job.client_port;
    copy.sasl_method = job.sasl_method;
    copy.sasl_sender = job.sasl_sender;
    copy.sasl_username = job.sasl_username;
    return copy;
}

// The transports that have no agent of their own. Nothing: it is not one of them.
std::optional<Report> by_itself(std::string_view transport, std::string_view text)
{
    const char* code = transport == "error" ? "550 " : transport == "retry" ? "450 " : transport == "discard" ? "250 " : nullptr;
    if (!code) return std::nullopt;
    auto reply = smtp::Reply::parse(code + std::string(text));
    std::string dsn = reply ? reply->status() : std::string(1, code[0]) + ".0.0";
    std::string words = reply && !reply->text.empty() ? reply->text : "mail to this address is not delivered";
    auto status = code[0] == '5' ? spool::Outcome::bounced : code[0] == '4' ? spool::Outcome::deferred : spool::Outcome::delivered;
    return report(status, dsn, words);
}

} // namespace

async::Task<Report> pass_on(Agent& agent, const spool::Deliver& job, const spool::Recipient& recipient, std::string address,
                            std::string sender, std::string service)
{
    base::Cut name = base::cut(service, ':');
    std::string nexthop(name.after);
    if (auto verdict = by_itself(name.before, nexthop)) {
        spool::Recipient shown = recipient;
        shown.address = address;
        spool::log_delivery(job, shown, outcome_of(recipient, *verdict), "none", spool::Timing{});
        co_return *verdict;
    }
    if (nexthop.empty()) nexthop = agent.config.myhostname;
    Report lost = deferred("4.3.0", fmt::format("mail transport unavailable: {}", name.before));
    try {
        spool::Deliver ask = copy_of(job);
        ask.sender = std::move(sender);
        ask.nexthop = std::move(nexthop);
        spool::Recipient given = recipient;
        given.number = 0;
        if (given.original.empty()) given.original = given.address;
        given.address = std::move(address);
        ask.recipients.push_back(std::move(given));
        ipc::Channel channel = ipc::connect_to(fmt::format("{}/private/{}", agent.queue_folder, name.before));
        channel.post(std::move(ask));
        ipc::Packet packet;
        while (!channel.try_receive(packet)) {
            if (channel.at_end()) co_return lost;
            bool news = co_await async::wait(channel.readable(), agent.config.ipc_timeout);
            if (!news) co_return lost;
        }
        spool::Done done = ipc::unpack<spool::Done>(packet);
        if (done.outcomes.empty()) co_return lost;
        spool::Outcome& outcome = done.outcomes.front();
        co_return report(outcome.status, outcome.dsn, outcome.text);
    } catch (const std::exception& failure) {
        base::log::warning("transport {}: {}", name.before, failure.what());
    }
    co_return lost;
}

} // namespace local_delivery
